/*
 * Forgets, in small steps, between which mail goes first, what happened
 * to messages that have been gone for long enough.
 */
#ifndef QUEUE_HISTORY_H
#define QUEUE_HISTORY_H

struct event_base;
struct store;

/* Events in one commit of a step, with their entries in the address index. */
#define HISTORY_STEP_ROWS 500

/* `seconds`: how long history is kept; lent, so that it may change. */
int history_start(struct event_base *, struct store *,
    const unsigned int *seconds) __attribute__((warn_unused_result));

#endif
