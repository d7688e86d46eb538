#include "router/parcels.h"

#include <stdlib.h>

#include "router/transaction.h"

/* In one of the two lists. */
struct parcel {
	TAILQ_ENTRY(parcel) next;
	struct transaction *transaction;
	void *owner;	      /* NULL: nobody waits for the outcome */
	struct handles *link; /* NULL: it waits for room */
	uint32_t handle;
	struct monotime since;
};

void
parcels_init(struct parcels *parcels, parcel_outcome *outcome)
{
	parcels->outcome = outcome;
	TAILQ_INIT(&parcels->waiting);
	TAILQ_INIT(&parcels->sent);
	parcels->count = 0;
	parcels->octets = 0;
}

static void
free_all(struct parcel_list *list)
{
	struct parcel *p;

	while ((p = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, p, next);
		transaction_free(&p->transaction);
		free(p);
	}
}

void
parcels_clear(struct parcels *parcels)
{
	free_all(&parcels->sent);
	free_all(&parcels->waiting);
	parcels->count = 0;
	parcels->octets = 0;
}

struct parcel *
parcels_add(struct parcels *parcels, struct transaction *take, void *owner)
{
	struct parcel *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		transaction_free(&take);
		return NULL;
	}
	p->transaction = take;
	p->owner = owner;
	p->since = monotime_now();
	TAILQ_INSERT_TAIL(&parcels->waiting, p, next);
	parcels->count++;
	return p;
}

struct parcel *
parcels_next(const struct parcels *parcels)
{
	return TAILQ_FIRST(&parcels->waiting);
}

void
parcels_assign(struct parcels *parcels, struct parcel *p, struct handles *link)
{
	TAILQ_REMOVE(&parcels->waiting, p, next);
	p->link = link;
	p->handle = handles_take(link, p);
	p->since = monotime_now();
	TAILQ_INSERT_TAIL(&parcels->sent, p, next);
	parcels->octets += transaction_size(p->transaction);
}

struct transaction *
parcel_transaction(const struct parcel *p)
{
	return p->transaction;
}

uint32_t
parcel_handle(const struct parcel *p)
{
	return p->handle;
}

static void
discard(struct parcels *parcels, struct parcel *p)
{
	if (p->link != NULL) {
		TAILQ_REMOVE(&parcels->sent, p, next);
		parcels->octets -= transaction_size(p->transaction);
		handles_leave(p->link, p->handle);
	} else
		TAILQ_REMOVE(&parcels->waiting, p, next);
	transaction_free(&p->transaction);
	free(p);
	parcels->count--;
}

static void
tell_owner(struct parcels *parcels, struct parcel *p, const struct reply *reply)
{
	void *owner = p->owner;

	p->owner = NULL;
	transaction_log(p->transaction, reply);
	if (owner != NULL)
		parcels->outcome(owner, reply);
}

void
parcels_finish(
    struct parcels *parcels, struct parcel *p, const struct reply *reply)
{
	tell_owner(parcels, p, reply);
	discard(parcels, p);
}

void
parcels_finish_sent(struct parcels *parcels, const struct handles *link,
    const struct reply *reply)
{
	struct parcel *p, *after;

	for (p = TAILQ_FIRST(&parcels->sent); p != NULL; p = after) {
		after = TAILQ_NEXT(p, next);
		if (p->link == link)
			parcels_finish(parcels, p, reply);
	}
}

void
parcels_finish_waiting(struct parcels *parcels, const struct reply *reply)
{
	struct parcel *p;

	while ((p = TAILQ_FIRST(&parcels->waiting)) != NULL)
		parcels_finish(parcels, p, reply);
}

static void
answer_older(struct parcels *parcels, const struct parcel_list *list,
    struct monotime limit, const struct reply *reply)
{
	struct parcel *p, *after;

	for (p = TAILQ_FIRST(list); p != NULL; p = after) {
		after = TAILQ_NEXT(p, next);
		if (!monotime_is_before(p->since, limit))
			return;
		if (p->owner == NULL)
			continue;
		if (p->link == NULL)
			parcels_finish(parcels, p, reply);
		else
			tell_owner(parcels, p, reply);
	}
}

void
parcels_answer_older(
    struct parcels *parcels, struct monotime limit, const struct reply *reply)
{
	answer_older(parcels, &parcels->sent, limit, reply);
	answer_older(parcels, &parcels->waiting, limit, reply);
}

void
parcels_abandon(struct parcels *parcels, struct parcel *p)
{
	p->owner = NULL;
	if (p->link == NULL)
		discard(parcels, p);
}
