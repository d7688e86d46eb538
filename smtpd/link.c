#include "smtpd/link.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/limits.h"
#include "common/log.h"

#define SLOT_BITS 10
#define SLOT_MASK ((1u << SLOT_BITS) - 1)
_Static_assert(LIMIT_SESSIONS <= SLOT_MASK + 1, "a handle holds every slot");

struct slot {
	void *owner;	 /* NULL if nothing is open */
	uint32_t handle; /* the last one given out; 0 if none */
};

struct link {
	LIST_ENTRY(link) next;
	struct link_set *set;
	struct channel *channel;
	uint32_t instance, generation;
	struct slot slots[LIMIT_SESSIONS];
};

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	struct link *l = context;
	uint32_t number = m->handle & SLOT_MASK;
	struct slot *slot;

	(void)channel;
	if (number >= LIMIT_SESSIONS)
		return -1;
	slot = &l->slots[number];
	if (slot->handle == 0)
		return -1;
	if (slot->handle != m->handle || slot->owner == NULL) {
		log_debug("late-answer message=%s handle=%u",
		    message_type_name(m->type), m->handle);
		return 0;
	}
	return l->set->receive(slot->owner, m);
}

static void
on_closed(struct channel *channel, void *context)
{
	struct link *l = context;

	log_info("link-lost peer=%s instance=%u",
	    program_name(channel_peer(channel)), l->instance);
	LIST_REMOVE(l, next);
	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++)
		if (l->slots[i].owner != NULL)
			l->set->lost(l->slots[i].owner);
	free(l);
}

static bool
is_newer(const struct link *a, const struct link *b)
{
	return a->generation != b->generation ? a->generation > b->generation
					      : a->instance > b->instance;
}

static void
insert(struct link_set *set, struct link *l)
{
	struct link *older = LIST_FIRST(&set->links), *last = NULL;

	while (older != NULL && !is_newer(l, older)) {
		last = older;
		older = LIST_NEXT(older, next);
	}
	if (last != NULL)
		LIST_INSERT_AFTER(last, l, next);
	else
		LIST_INSERT_HEAD(&set->links, l, next);
}

void
link_add(struct link_set *set, struct event_base *base,
    const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		log_error("link-failed peer=%s", program_name(set->peer));
		close(peer->fd);
		return;
	}
	l->set = set;
	l->instance = peer->instance;
	l->generation = peer->generation;
	l->channel =
	    channel_new(base, peer->fd, PROGRAM_SMTPD, set->peer, &handler, l);
	if (l->channel == NULL) {
		log_error("link-failed peer=%s", program_name(set->peer));
		free(l);
		return;
	}
	insert(set, l);
	log_debug(
	    "link peer=%s instance=%u", program_name(set->peer), l->instance);
}

/* The next handle of a slot; never 0. */
static uint32_t
next_handle(uint32_t last, unsigned int slot)
{
	uint32_t generation = (last >> SLOT_BITS) + 1;

	if (generation > UINT32_MAX >> SLOT_BITS)
		generation = 1;
	return generation << SLOT_BITS | slot;
}

int
link_open(struct link_set *set, struct exchange *e, unsigned int number,
    void *owner, struct message *m)
{
	struct link *l = LIST_FIRST(&set->links);
	struct slot *slot;

	/* One that does not keep up with what it has gets nothing new. */
	if (l == NULL || channel_queued(l->channel) > LIMIT_CHANNEL_QUEUE / 2)
		return -1;
	slot = &l->slots[number];
	slot->handle = next_handle(slot->handle, number);
	m->handle = slot->handle;
	if (channel_send(l->channel, m) == -1)
		return -1;
	slot->owner = owner;
	e->link = l;
	e->handle = slot->handle;
	return 0;
}

int
link_send(const struct exchange *e, struct message *m)
{
	m->handle = e->handle;
	return channel_send(e->link->channel, m);
}

void
link_close(struct exchange *e)
{
	if (e->link != NULL)
		e->link->slots[e->handle & SLOT_MASK].owner = NULL;
	e->link = NULL;
	e->handle = 0;
}
