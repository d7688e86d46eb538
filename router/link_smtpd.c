#include "router/link_smtpd.h"

#include <stdlib.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/child.h"
#include "common/log.h"
#include "router/transaction.h"

struct smtpd_link;

/* One transaction of a worker: first ours, then in the hands of the queue's
 * link. */
struct slot {
	LIST_ENTRY(slot) next; /* in its bucket, or in the unused ones */
	struct smtpd_link *link;
	uint32_t handle;
	struct transaction *transaction;
	struct parcel *parcel;
};

LIST_HEAD(slots, slot);

struct smtpd_link {
	LIST_ENTRY(smtpd_link) next;
	struct link_smtpd *all;
	struct channel *channel;
	uint32_t instance;
	struct slot slots[LIMIT_SESSIONS];
	struct slots buckets[LIMIT_SESSIONS]; /* by handle */
	struct slots unused;
};

LIST_HEAD(smtpd_links, smtpd_link);

struct link_smtpd {
	struct event_base *base;
	const struct expander *expander;
	struct link_queue *queue;
	struct smtpd_links links;
	unsigned int count;
};

struct link_smtpd *
link_smtpd_new(struct event_base *base, const struct expander *expander,
    struct link_queue *queue)
{
	struct link_smtpd *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->base = base;
	all->expander = expander;
	all->queue = queue;
	LIST_INIT(&all->links);
	return all;
}

/* -- Slots ----------------------------------------------------------------- */

static struct slots *
bucket_of(struct smtpd_link *link, uint32_t handle)
{
	return &link->buckets[handle % LIMIT_SESSIONS];
}

static struct slot *
find_slot(struct smtpd_link *link, uint32_t handle)
{
	struct slot *slot;

	LIST_FOREACH (slot, bucket_of(link, handle), next)
		if (slot->handle == handle)
			return slot;
	return NULL;
}

static void
use_slot(struct slot *slot, uint32_t handle, struct transaction *take)
{
	LIST_REMOVE(slot, next);
	slot->handle = handle;
	slot->transaction = take;
	LIST_INSERT_HEAD(bucket_of(slot->link, handle), slot, next);
}

/* The end of a transaction as far as its worker is concerned. */
static void
release_slot(struct slot *slot)
{
	if (slot->parcel != NULL)
		link_queue_abandon(slot->link->all->queue, slot->parcel);
	slot->parcel = NULL;
	transaction_free(&slot->transaction);
	LIST_REMOVE(slot, next);
	LIST_INSERT_HEAD(&slot->link->unused, slot, next);
}

/* -- What a worker sends --------------------------------------------------- */

/* A channel that cannot send is about to be closed: nothing to do here. */
static void
send_outcome(struct slot *slot, const struct reply *reply)
{
	struct message m = MESSAGE_INIT(MESSAGE_OUTCOME, slot->handle);

	m.outcome.code = reply->code;
	m.outcome.reply = reply->text;
	(void)!channel_send(slot->link->channel, &m);
}

void
link_smtpd_outcome(void *owner, const struct reply *reply)
{
	struct slot *slot = owner;

	slot->parcel = NULL;
	send_outcome(slot, reply);
	release_slot(slot);
}

static int
on_open(struct smtpd_link *link, const struct message *m)
{
	struct slot *slot = LIST_FIRST(&link->unused);
	struct transaction *transaction;

	if (slot == NULL || find_slot(link, m->handle) != NULL)
		return -1;
	transaction = transaction_new(link->all->expander, &m->open);
	if (transaction == NULL)
		return -1;
	use_slot(slot, m->handle, transaction);
	return 0;
}

static int
on_recipient(struct slot *slot, const struct message *m)
{
	struct message verdict = MESSAGE_INIT(MESSAGE_VERDICT, m->handle);
	struct reply reply;

	if (slot == NULL || slot->transaction == NULL)
		return -1;
	if (transaction_add_recipient(slot->transaction, &m->recipient,
		link_queue_is_up(slot->link->all->queue), &reply) == -1)
		return -1;
	verdict.verdict.number = m->recipient.number;
	verdict.verdict.id = transaction_id(slot->transaction);
	verdict.verdict.code = reply.code;
	verdict.verdict.reply = reply.text;
	(void)!channel_send(slot->link->channel, &verdict);
	return 0;
}

static int
on_content(struct slot *slot, struct message *m)
{
	struct transaction *transaction;
	struct reply reply;

	if (slot == NULL || slot->transaction == NULL)
		return -1;
	switch (transaction_add_content(slot->transaction, message_take_fd(m),
	    m->content.size, m->content.hops, &reply)) {
	case 0:
		break;
	case 1:
		link_smtpd_outcome(slot, &reply);
		return 0;
	default:
		return -1;
	}
	transaction = slot->transaction;
	slot->transaction = NULL;
	slot->parcel =
	    link_queue_submit(slot->link->all->queue, transaction, slot);
	if (slot->parcel == NULL) {
		reply_set(&reply, 451,
		    "4.3.0 The queue is not there, please try again later");
		link_smtpd_outcome(slot, &reply);
	}
	return 0;
}

static int
on_receive(struct channel *channel, struct message *m, void *context)
{
	struct smtpd_link *link = context;
	struct slot *slot;

	(void)channel;
	if (m->type == MESSAGE_OPEN)
		return on_open(link, m);
	slot = find_slot(link, m->handle);
	if (m->type == MESSAGE_RECIPIENT)
		return on_recipient(slot, m);
	if (m->type == MESSAGE_CONTENT)
		return on_content(slot, m);
	if (m->type != MESSAGE_ABANDON)
		return -1;
	/* Our OUTCOME may have crossed it: then there is nothing to end. */
	if (slot != NULL)
		release_slot(slot);
	return 0;
}

/* -- Links ----------------------------------------------------------------- */

static void
forget_link(struct smtpd_link *link)
{
	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++) {
		struct slot *slot = &link->slots[i];

		if (slot->transaction != NULL || slot->parcel != NULL)
			release_slot(slot);
	}
	LIST_REMOVE(link, next);
	link->all->count--;
	free(link);
}

static void
on_closed(struct channel *channel, void *context)
{
	struct smtpd_link *link = context;

	(void)channel;
	log_info("link-closed peer=smtpd instance=%u", link->instance);
	child_peer_lost(PROGRAM_SMTPD, link->instance);
	forget_link(link);
}

static void
init_slots(struct smtpd_link *link)
{
	LIST_INIT(&link->unused);
	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++) {
		LIST_INIT(&link->buckets[i]);
		link->slots[i].link = link;
		LIST_INSERT_HEAD(&link->unused, &link->slots[i], next);
	}
}

/* NULL if there is no room for it; takes the peer's descriptor. */
static struct smtpd_link *
make_link(struct link_smtpd *all, const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_receive,
		.closed = on_closed,
	};
	struct smtpd_link *link = NULL;

	if (all->count < LIMIT_PEERS)
		link = calloc(1, sizeof(*link));
	if (link == NULL) {
		close(peer->fd);
		return NULL;
	}
	link->all = all;
	link->instance = peer->instance;
	init_slots(link);
	link->channel = channel_new(
	    all->base, peer->fd, PROGRAM_ROUTER, PROGRAM_SMTPD, &handler, link);
	if (link->channel == NULL) {
		free(link);
		return NULL;
	}
	return link;
}

void
link_smtpd_add(struct link_smtpd *all, const struct child_peer *peer)
{
	struct smtpd_link *link = make_link(all, peer);

	if (link == NULL) {
		log_error(
		    "link-refused peer=smtpd instance=%u", peer->instance);
		child_peer_lost(PROGRAM_SMTPD, peer->instance);
		return;
	}
	LIST_INSERT_HEAD(&all->links, link, next);
	all->count++;
}

unsigned int
link_smtpd_count(const struct link_smtpd *all)
{
	return all->count;
}

void
link_smtpd_free(struct link_smtpd **pointer)
{
	struct link_smtpd *all = *pointer;
	struct smtpd_link *link;

	*pointer = NULL;
	if (all == NULL)
		return;
	while ((link = LIST_FIRST(&all->links)) != NULL) {
		channel_free(&link->channel);
		forget_link(link);
	}
	free(all);
}
