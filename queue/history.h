/*
 * Forgets, in small steps while nothing else is to be written, what happened
 * to messages that have been gone for long enough.
 */
#ifndef QUEUE_HISTORY_H
#define QUEUE_HISTORY_H

struct event_base;
struct store;

/* `seconds`: how long history is kept; lent, so that it may change. */
int history_start(struct event_base *, struct store *,
    const unsigned int *seconds) __attribute__((warn_unused_result));

#endif
