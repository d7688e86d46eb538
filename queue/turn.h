/*
 * One turn of the queue's work: hand out what is due, commit what has
 * gathered, hand out what the commit made due.
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
int turn_start(struct event_base *) __attribute__((warn_unused_result));
/* When nothing else is ready; any number of calls make one turn. */
void turn_soon(void);
/* Before anything else is read. */
void turn_now(void);

#endif
