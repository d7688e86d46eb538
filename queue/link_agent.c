#include "queue/link_agent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <bsd/sys/queue.h>

#include "common/channel.h"
#include "common/id.h"
#include "common/log.h"
#include "common/peer.h"
#include "queue/commit.h"
#include "queue/delivery.h"
#include "queue/destination.h"
#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/scheduler.h"
#include "queue/stats.h"

/* A handle is a slot's index and its generation. */
#define INDEX_BITS 12
#define INDEX_MASK ((1U << INDEX_BITS) - 1)
#define GENERATION_MASK (UINT32_MAX >> INDEX_BITS)

/* Reports about what it was not given: a sound agent has none, so that this is
 * about the log and not about the agent. */
#define DROPPED_MOST 64

/* Records waiting in the channel beyond which no delivery is added. */
#define QUEUED_MOST (LIMIT_CHANNEL_QUEUE / 2)

struct slot {
	TAILQ_ENTRY(slot) order;
	uint32_t generation;
	struct monotime since;
	uint64_t id;
	uint64_t size;
	struct destination *destination;
	unsigned int count; /* of flights; 0: the slot is free */
	unsigned int open;  /* not reported yet */
	unsigned int tried; /* addresses, so far */
	struct flight **flights;
};

TAILQ_HEAD(slots, slot);

struct agent {
	struct channel *channel;
	const struct agent_handler *handler;
	void *context;
	struct slots busy; /* the oldest first */
	struct slots spare;
	unsigned int in_flight;
	struct slot *table;
	unsigned int most;
	unsigned int dropped;  /* reports about nothing */
	bool in_turn;	       /* it does one thing after the other */
	struct monotime heard; /* its last report */
};

static uint32_t
handle_of(const struct agent *a, const struct slot *s)
{
	return s->generation << INDEX_BITS | (uint32_t)(s - a->table);
}

static struct slot *
slot_of(const struct agent *a, uint32_t handle)
{
	uint32_t index = handle & INDEX_MASK;

	if (index >= a->most || a->table[index].count == 0 ||
	    a->table[index].generation != handle >> INDEX_BITS)
		return NULL;
	return &a->table[index];
}

/* -- Giving --------------------------------------------------------------- */

static struct slot *
slot_take(struct agent *a, const struct delivery *delivery)
{
	struct slot *s = TAILQ_FIRST(&a->spare);

	if (s == NULL)
		return NULL;
	s->flights = calloc(delivery->count, sizeof(struct flight *));
	if (s->flights == NULL)
		return NULL;
	for (unsigned int i = 0; i < delivery->count; i++)
		s->flights[i] = delivery->flights[i];
	s->id = delivery->id;
	s->size = delivery->message.size;
	s->destination = delivery->destination;
	s->count = s->open = delivery->count;
	s->tried = 0;
	s->since = monotime_now();
	TAILQ_REMOVE(&a->spare, s, order);
	TAILQ_INSERT_TAIL(&a->busy, s, order);
	a->in_flight++;
	return s;
}

static void
slot_give_back(struct agent *a, struct slot *s)
{
	TAILQ_REMOVE(&a->busy, s, order);
	TAILQ_INSERT_TAIL(&a->spare, s, order);
	a->in_flight--;
	free(s->flights);
	s->flights = NULL;
	s->count = 0;
	s->generation = (s->generation + 1) & GENERATION_MASK;
}

static const char *
next_hop(const struct destination *d)
{
	return d->kind == ROUTE_MX ? d->name + 3 /* "mx:" */ : "";
}

static int
send_delivery(struct agent *a, uint32_t handle, const struct delivery *delivery)
{
	struct message m = MESSAGE_INIT(MESSAGE_DELIVER, handle);

	m.fd = delivery->fd;
	m.deliver.id = delivery->id;
	m.deliver.sender = delivery->message.sender;
	m.deliver.kind = delivery->recipients[0].kind;
	m.deliver.name = delivery->recipients[0].name;
	m.deliver.next_hop = next_hop(delivery->destination);
	m.deliver.body = delivery->message.body;
	m.deliver.size = delivery->message.size;
	m.deliver.recipients = delivery->count;
	m.deliver.ret = delivery->message.ret;
	m.deliver.envid = delivery->message.envid;
	m.deliver.fresh = delivery->fresh;
	return channel_send(a->channel, &m);
}

static int
send_recipient(struct agent *a, uint32_t handle,
    const struct row_recipient *row, uint32_t number)
{
	struct message m = MESSAGE_INIT(MESSAGE_DELIVER_TO, handle);

	m.deliver_to.number = number;
	m.deliver_to.address = row->address;
	m.deliver_to.original = row->original;
	m.deliver_to.notify = row->notify;
	m.deliver_to.orcpt = row->orcpt;
	return channel_send(a->channel, &m);
}

bool
agent_has_room(const struct agent *a)
{
	return !TAILQ_EMPTY(&a->spare) &&
	       channel_queued(a->channel) < QUEUED_MOST;
}

/* A link that fails here is closed from the event loop soon, and then gives
 * everything back: so this has taken the delivery as soon as it has a slot. */
int
agent_deliver(struct agent *a, const struct delivery *delivery)
{
	struct slot *s = slot_take(a, delivery);
	uint32_t handle;

	if (s == NULL) {
		close(delivery->fd);
		return -1;
	}
	handle = handle_of(a, s);
	if (send_delivery(a, handle, delivery) == -1)
		return 0;
	for (unsigned int i = 0; i < delivery->count; i++)
		if (send_recipient(a, handle, &delivery->recipients[i], i) ==
		    -1)
			break;
	return 0;
}

/* -- Reports -------------------------------------------------------------- */

/* -1: it has sent too many. */
static int
drop_report(struct agent *a, const struct message *m)
{
	stats.reports_dropped++;
	log_warn("report-dropped peer=%s message=%s handle=%" PRIu32,
	    program_name(channel_peer(a->channel)), message_type_name(m->type),
	    m->handle);
	return ++a->dropped > DROPPED_MOST ? -1 : 0;
}

static void
end_delivery(struct agent *a, struct slot *s)
{
	struct destination *d = s->destination;

	slot_give_back(a, s);
	scheduler_delivery_end(d, s->size, false);
	if (a->in_flight == 0)
		a->handler->idle(a, a->context);
}

/* A mailbox is the end of the way; and what did not go is not relayed. */
static bool
is_relayed_valid(const struct agent *a, const struct message_report *m)
{
	return m->relayed == 0 ||
	       (m->relayed == 1 && m->outcome == REPORT_DELIVERED &&
		   channel_peer(a->channel) == PROGRAM_REMOTE);
}

/* Only remote has to do with hosts. */
static bool
is_host_valid(const struct agent *a, const struct message_report *m)
{
	return peer_is_valid(m->name, m->address, m->port, m->tls_version,
		   m->tls_cipher) &&
	       (m->address[0] == '\0' ||
		   channel_peer(a->channel) == PROGRAM_REMOTE);
}

/* What an agent says of the time is no more than what has gone by; a mailbox's
 * says nothing. */
static uint32_t
took(const struct agent *a, const struct slot *s, uint32_t said)
{
	int64_t most = monotime_ms_between(s->since, monotime_now());

	if (most < 0)
		most = 0;
	if (channel_peer(a->channel) == PROGRAM_REMOTE && said < most)
		return said;
	return most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
}

static int
on_tried(struct agent *a, const struct message *m)
{
	struct slot *s = slot_of(a, m->handle);
	struct lifecycle_report tried = {
		.outcome = REPORT_DEFERRED,
		.host = m->tried.name,
		.reply = m->tried.reply,
		.name = m->tried.name,
		.address = m->tried.address,
		.port = m->tried.port,
		.tls_version = m->tried.tls_version,
		.tls_cipher = m->tried.tls_cipher,
	};

	if (m->tried.address[0] == '\0' ||
	    !peer_is_valid(m->tried.name, m->tried.address, m->tried.port,
		m->tried.tls_version, m->tried.tls_cipher))
		return -1;
	if (s == NULL)
		return drop_report(a, m);
	if (++s->tried > LIMIT_MX_ADDRESSES)
		return -1;
	tried.id = s->id;
	tried.took = took(a, s, m->tried.took);
	commit_tried(&tried);
	return 0;
}

static int
on_report(struct agent *a, const struct message *m)
{
	struct slot *s = slot_of(a, m->handle);
	uint32_t number = m->report.number;
	struct lifecycle_report report = {
		.outcome = (enum report_outcome)m->report.outcome,
		.scope = (enum report_scope)m->report.scope,
		.host = m->report.host,
		.reply = m->report.reply,
		.relayed = m->report.relayed != 0,
		.name = m->report.name,
		.address = m->report.address,
		.port = m->report.port,
		.tls_version = m->report.tls_version,
		.tls_cipher = m->report.tls_cipher,
	};
	struct flight *f;

	if (m->report.outcome >= REPORT_OUTCOMES ||
	    m->report.scope >= REPORT_SCOPES ||
	    !is_relayed_valid(a, &m->report) || !is_host_valid(a, &m->report))
		return -1;
	if (s == NULL || number >= s->count || s->flights[number] == NULL)
		return drop_report(a, m);
	report.took = took(a, s, m->report.took);
	a->heard = monotime_now();
	f = s->flights[number];
	s->flights[number] = NULL;
	s->open--;
	scheduler_report(f, &report);
	if (s->open == 0)
		end_delivery(a, s);
	return 0;
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	(void)channel;
	if (m->type == MESSAGE_TRIED)
		return on_tried(context, m);
	return m->type == MESSAGE_REPORT ? on_report(context, m) : -1;
}

/* -- The end -------------------------------------------------------------- */

static void
give_back_all(struct agent *a)
{
	struct slot *s;

	while ((s = TAILQ_FIRST(&a->busy)) != NULL) {
		struct destination *d = s->destination;

		for (unsigned int i = 0; i < s->count; i++)
			if (s->flights[i] != NULL)
				scheduler_lost(s->flights[i]);
		slot_give_back(a, s);
		scheduler_delivery_end(d, s->size, true);
	}
}

static void
release(struct agent *a)
{
	give_back_all(a);
	free(a->table);
	free(a);
}

static void
on_closed(struct channel *channel, void *context)
{
	struct agent *a = context;

	(void)channel;
	if (a->in_flight > 0)
		log_warn("agent-lost peer=%s in_flight=%u",
		    program_name(channel_peer(a->channel)), a->in_flight);
	a->channel = NULL; /* frees itself */
	give_back_all(a);
	a->handler->closed(a, a->context);
	release(a);
}

void
agent_free(struct agent **pointer)
{
	struct agent *a = *pointer;

	*pointer = NULL;
	if (a == NULL)
		return;
	channel_free(&a->channel);
	release(a);
}

void
agent_give_up(struct agent **pointer, const char *reply)
{
	const struct lifecycle_report report = {
		.outcome = REPORT_DEFERRED,
		.scope = REPORT_SCOPE_DESTINATION,
		.host = "",
		.reply = reply,
	};
	struct slot *s;

	TAILQ_FOREACH (s, &(*pointer)->busy, order)
		for (unsigned int i = 0; i < s->count; i++)
			if (s->flights[i] != NULL) {
				scheduler_report(s->flights[i], &report);
				s->flights[i] = NULL;
			}
	agent_free(pointer);
}

struct agent *
agent_new(struct event_base *base, int fd_take, enum program program,
    unsigned int most, const struct agent_handler *handler, void *context)
{
	static const struct channel_handler link = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct agent *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->table = calloc(most, sizeof(*a->table));
	if (a == NULL || a->table == NULL) {
		close(fd_take);
		free(a);
		errno = ENOMEM;
		return NULL;
	}
	a->most = most;
	a->in_turn = program == PROGRAM_LOCAL;
	a->handler = handler;
	a->context = context;
	TAILQ_INIT(&a->busy);
	TAILQ_INIT(&a->spare);
	for (unsigned int i = 0; i < most; i++)
		TAILQ_INSERT_TAIL(&a->spare, &a->table[i], order);
	a->channel =
	    channel_new(base, fd_take, PROGRAM_QUEUE, program, &link, a);
	if (a->channel == NULL)
		agent_free(&a);
	return a;
}

unsigned int
agent_in_flight(const struct agent *a)
{
	return a->in_flight;
}

bool
agent_is_late(const struct agent *a, struct monotime since)
{
	const struct slot *oldest = TAILQ_FIRST(&a->busy);

	if (oldest == NULL ||
	    (a->in_turn && !monotime_is_before(a->heard, since)))
		return false;
	return monotime_is_before(oldest->since, since);
}
