/*
 * When the queue works: one turn after another, each as soon as there is
 * something to do. What a turn is, main.c says.
 *
 * It runs when the event loop has nothing else that is ready, so that the
 * batch holds all that was waiting in the sockets: while one commit waits for
 * the disk, the next batch gathers there. Links are read at priority 1; a turn
 * has priority 2, or 0 once the batch is as large as it may be.
 */
#ifndef QUEUE_TURN_H
#define QUEUE_TURN_H

#define TURN_PRIORITIES 3

struct event_base;

/* -1 with errno. */
int turn_start(struct event_base *, void (*work)(void))
    __attribute__((warn_unused_result));
/* When nothing else is ready; any number of calls make one turn. */
void turn_soon(void);
/* Before anything else is read. */
void turn_now(void);

#endif
