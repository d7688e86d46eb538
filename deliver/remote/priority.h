/*
 * Which connection is handled first. With a thousand of them at work a round
 * of the event loop takes tens of milliseconds, and a delivery takes many
 * rounds: fresh mail does not wait for the ends of these.
 */
#ifndef REMOTE_PRIORITY_H
#define REMOTE_PRIORITY_H

struct event_base;

enum { PRIORITY_FRESH, PRIORITY_OTHER, PRIORITIES };

/* A loop with these priorities. Links to neighbours have the first. NULL if
 * there is no memory. */
struct event_base *priority_base_new(void) __attribute__((warn_unused_result));

#endif
