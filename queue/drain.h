/*
 * The end: nothing more is handed out; what is in flight may still be
 * reported, and what routers have sent is still committed.
 */
#ifndef QUEUE_DRAIN_H
#define QUEUE_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;

int drain_start(struct event_base *) __attribute__((warn_unused_result));
/* Ends the process within so many seconds, sooner if nothing is left to do. */
void drain_begin(uint32_t seconds);
bool drain_has_begun(void);

#endif
