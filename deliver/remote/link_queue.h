/*
 * The link to the queue: its orders in, reports on each recipient out. The
 * handles are the queue's; on one link one handle is one delivery until its
 * last report. A link that ends takes its deliveries with it: the queue
 * orders them again.
 */
#ifndef REMOTE_LINK_QUEUE_H
#define REMOTE_LINK_QUEUE_H

#include "common/child.h"

struct event_base;

void link_queue_init(struct event_base *);
/* Takes the peer's descriptor. */
void link_queue_open(const struct child_peer *);
/* Ends the event loop when nothing is in hand any more, or after so many
 * seconds. */
void link_queue_drain(uint32_t seconds);

#endif
