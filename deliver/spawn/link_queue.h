/*
 * The links to the queue: each takes HIRE and KILL. Several live side by side
 * while a queue is replaced; what one hired no other can touch.
 *
 * A queue that was taken over can start workers for any user but root, up to
 * the bound, and kill those that it started. It can do no more.
 */
#ifndef DELIVER_SPAWN_LINK_QUEUE_H
#define DELIVER_SPAWN_LINK_QUEUE_H

struct child_peer;
struct event_base;

void link_queue_begin(struct event_base *);
/* Takes the descriptor. */
void link_queue_open(const struct child_peer *);
/* From now on every HIRE is refused, for later. */
void link_queue_drain(void);

#endif
