/*
 * The messages that a client waits for: complete, and not answered yet. Each
 * waits for room, in order, or was sent over a link and has a handle of that
 * link. No I/O.
 */
#ifndef ROUTER_PARCELS_H
#define ROUTER_PARCELS_H

#include <stdint.h>

#include <bsd/sys/queue.h>

#include "common/monotime.h"
#include "router/handles.h"
#include "router/reply.h"

struct parcel;
struct transaction;

/* The final reply to a message. */
typedef void parcel_outcome(void *owner, const struct reply *);

TAILQ_HEAD(parcel_list, parcel);

struct parcels {
	parcel_outcome *outcome;
	struct parcel_list waiting, sent; /* each the oldest first */
	unsigned int count;
	uint64_t octets; /* of the contents that were sent */
};

void parcels_init(struct parcels *, parcel_outcome *);
/* Calls no outcome. */
void parcels_clear(struct parcels *);

/* Takes the transaction, which is complete; also on failure. It waits behind
 * all others. NULL with errno. */
struct parcel *parcels_add(struct parcels *, struct transaction *take,
    void *owner) __attribute__((warn_unused_result));
/* Whose turn it is. NULL if none waits. */
struct parcel *parcels_next(const struct parcels *);
/* It waits no more: it gets a handle of this link, which has one. */
void parcels_assign(struct parcels *, struct parcel *, struct handles *);

struct transaction *parcel_transaction(const struct parcel *);
uint32_t parcel_handle(const struct parcel *);

/* Tells its owner, if any, and forgets it. */
void parcels_finish(struct parcels *, struct parcel *, const struct reply *);
/* All that were sent over this link. */
void parcels_finish_sent(
    struct parcels *, const struct handles *, const struct reply *);
/* All that wait. */
void parcels_finish_waiting(struct parcels *, const struct reply *);
/* Answers those that have waited, or were sent, before a time. What was sent
 * keeps its place, for an answer that may still come. */
void parcels_answer_older(
    struct parcels *, struct monotime, const struct reply *);

/* The owner is gone, and wants no outcome. */
void parcels_abandon(struct parcels *, struct parcel *);

#endif
