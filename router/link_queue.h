/*
 * The trust boundary to the queue: complete messages out, STORED back.
 *
 * The queue could, if taken over, refuse or lose what it is given; it cannot
 * make us answer for a message that it was not given, or twice. Each link has
 * LIMIT_STORING handles of its own for messages on their way, which hold
 * LIMIT_STORING_OCTETS at most. What does not fit waits here, in order. New
 * messages go to the newest queue; when a link is lost whatever was on its way
 * is answered 451, since nobody knows whether it was stored: the client comes
 * again, and may make a duplicate but never a loss.
 */
#ifndef ROUTER_LINK_QUEUE_H
#define ROUTER_LINK_QUEUE_H

#include <stdbool.h>

#include "common/child.h"
#include "common/monotime.h"
#include "router/parcels.h"

struct event_base;
struct expander;
struct link_queue;
struct transaction;

/* The expander is for what the queue itself sends, and must outlive it. The
 * parcel is gone when the outcome returns. It is never called from within
 * link_queue_submit(). NULL with errno. */
struct link_queue *link_queue_new(struct event_base *, const struct expander *,
    parcel_outcome *) __attribute__((warn_unused_result));
/* Accepts none. Calls no outcome. */
void link_queue_free(struct link_queue **);

/* Takes the descriptor. */
void link_queue_add(struct link_queue *, const struct child_peer *);
bool link_queue_is_up(const struct link_queue *);

/* Takes the transaction, which is complete; also on failure. NULL if there
 * is no queue, or no memory. */
struct parcel *link_queue_submit(struct link_queue *, struct transaction *take,
    void *owner) __attribute__((warn_unused_result));
/* The owner is gone, and wants no outcome. */
void link_queue_abandon(struct link_queue *, struct parcel *);

/* Answers 451 for whatever has waited for LIMIT_STORING_SECONDS. Called by
 * itself, every few seconds. */
void link_queue_check_time(struct link_queue *, struct monotime now);

/* Messages that are not answered yet. */
unsigned int link_queue_outstanding(const struct link_queue *);

#endif
