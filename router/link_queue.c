#include "router/link_queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/id.h"
#include "common/log.h"
#include "router/handles.h"
#include "router/parcels.h"
#include "router/transaction.h"

#define WATCH_SECONDS 10
/* Half of what a channel holds, so that one message more, of whatever size,
 * always fits: see has_room(). */
#define RECORDS_MOST (LIMIT_CHANNEL_QUEUE / 2)

_Static_assert(LIMIT_EXPANSION + 1 <= LIMIT_CHANNEL_QUEUE,
    "the largest message must fit an idle link");

struct queue_link {
	LIST_ENTRY(queue_link) next;
	struct link_queue *all;
	struct channel *channel;
	uint32_t instance;
	struct handles handles;
};

LIST_HEAD(queue_links, queue_link);

struct link_queue {
	struct event_base *base;
	const struct expander *expander;
	struct queue_links links; /* the newest first */
	unsigned int link_count;
	struct parcels parcels;
	struct event *watch;
};

static void on_watch(evutil_socket_t, short, void *);

struct link_queue *
link_queue_new(struct event_base *base, const struct expander *expander,
    parcel_outcome *outcome)
{
	struct link_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->base = base;
	q->expander = expander;
	LIST_INIT(&q->links);
	parcels_init(&q->parcels, outcome);
	q->watch = event_new(base, -1, 0, on_watch, q);
	if (q->watch == NULL) {
		free(q);
		return NULL;
	}
	return q;
}

/* -- Sending --------------------------------------------------------------- */

/* One message alone always fits, since the link is idle then. */
static bool
has_room(const struct queue_link *link, const struct parcel *p)
{
	if (handles_are_idle(&link->handles))
		return true;
	return !handles_are_full(&link->handles) &&
	       link->all->parcels.octets +
		       transaction_size(parcel_transaction(p)) <=
		   LIMIT_STORING_OCTETS &&
	       channel_queued(link->channel) +
		       transaction_routes(parcel_transaction(p))->count <
		   RECORDS_MOST;
}

static int
send_routes(struct queue_link *link, const struct parcel *p)
{
	const struct routes *routes = transaction_routes(parcel_transaction(p));
	const struct route *route;
	uint32_t number = 0;

	STAILQ_FOREACH (route, &routes->list, next) {
		struct message m =
		    MESSAGE_INIT(MESSAGE_ROUTE, parcel_handle(p));

		m.route = (struct message_route){
			.number = number,
			.address = route->address,
			.original = route->original,
			.kind = (uint8_t)route->kind,
			.name = route->name,
			.user = route->user,
			.notify = route->notify,
			.orcpt = route->orcpt != NULL ? route->orcpt : "",
			.expanded = route->expanded,
			.rule = route->rule,
			.via = route->via,
		};
		if (channel_send(link->channel, &m) == -1)
			return -1;
		number++;
	}
	return 0;
}

/* A link that fails here is closed from the event loop, and then the parcel
 * is answered with all the others. */
static void
send_parcel(struct link_queue *q, struct queue_link *link, struct parcel *p)
{
	struct message m = MESSAGE_INIT(MESSAGE_ENVELOPE, 0);

	parcels_assign(&q->parcels, p, &link->handles);
	m.handle = parcel_handle(p);
	transaction_make_envelope(parcel_transaction(p), &m);
	if (channel_send(link->channel, &m) == -1 || send_routes(link, p) == -1)
		assert(errno != EMSGSIZE && errno != EINVAL);
}

static void
send_waiting(struct link_queue *q)
{
	struct queue_link *link = LIST_FIRST(&q->links);
	struct parcel *p;

	while (link != NULL && (p = parcels_next(&q->parcels)) != NULL &&
	       has_room(link, p))
		send_parcel(q, link, p);
}

struct parcel *
link_queue_submit(struct link_queue *q, struct transaction *take, void *owner)
{
	static const struct timeval interval = { WATCH_SECONDS, 0 };
	struct parcel *p;

	if (LIST_EMPTY(&q->links)) {
		transaction_free(&take);
		return NULL;
	}
	p = parcels_add(&q->parcels, take, owner);
	if (p == NULL)
		return NULL;
	if (!event_pending(q->watch, EV_TIMEOUT, NULL))
		event_add(q->watch, &interval);
	send_waiting(q);
	return p;
}

void
link_queue_abandon(struct link_queue *q, struct parcel *p)
{
	parcels_abandon(&q->parcels, p);
}

/* -- Answers --------------------------------------------------------------- */

/* It goes to the client: a code that ends DATA, and one line. */
static bool
is_final_reply(const struct message_stored *m)
{
	for (const char *c = m->reply; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return m->code == 250 || m->code / 100 == 4 || m->code / 100 == 5;
}

static int
on_stored(struct queue_link *link, const struct message *m)
{
	struct link_queue *q = link->all;
	struct parcel *p = handles_find(&link->handles, m->handle);
	struct reply reply;

	if (p == NULL) {
		log_warn("late peer=queue message=STORED handle=%u", m->handle);
		return 0;
	}
	if (m->stored.id != transaction_id(parcel_transaction(p)) ||
	    !is_final_reply(&m->stored))
		return -1;
	if (m->stored.code == 250)
		reply_set(&reply, 250, "2.0.0 Ok: queued as %s",
		    id_format(m->stored.id).text);
	else
		reply_set(&reply, m->stored.code, "%s", m->stored.reply);
	parcels_finish(&q->parcels, p, &reply);
	send_waiting(q);
	return 0;
}

/* -- What the queue itself sends -------------------------------------------- */

static void
send_unrouted(struct queue_link *link, uint32_t handle, const struct reply *why)
{
	struct message m = MESSAGE_INIT(MESSAGE_UNROUTED, handle);

	m.unrouted.code = why->code;
	m.unrouted.reply = why->text;
	if (channel_send(link->channel, &m) == -1)
		log_warn("not-answered peer=queue message=INJECT");
}

/* 0: it is whole. 1: it is refused with the reply. */
static int
fill_transaction(struct transaction *t, struct message *m, struct reply *reply)
{
	const struct message_recipient recipient = {
		.address = m->inject.address,
		.notify = m->inject.notify,
		.orcpt = m->inject.orcpt,
	};

	if (transaction_add_recipient(t, &recipient, true, reply) == -1)
		return -1;
	if (!reply_is_positive(reply))
		return 1;
	return transaction_add_content(
	    t, message_take_fd(m), m->inject.size, m->inject.hops, reply);
}

/* It goes back over its own link, or not at all: only there is its handle
 * known. */
static int
send_back(struct link_queue *q, struct queue_link *link, struct transaction *t,
    struct reply *reply)
{
	struct parcel *p = parcels_add(&q->parcels, t, NULL);

	if (p == NULL) {
		reply_set(reply, 451, "4.3.0 No memory");
		return 1;
	}
	if (has_room(link, p)) {
		send_parcel(q, link, p);
		return 0;
	}
	parcels_abandon(&q->parcels, p);
	reply_set(reply, 451, "4.3.2 The link is busy");
	return 1;
}

/* A report, or what the administrator redirects: to the rules, a message of
 * this host. */
static int
on_inject(struct queue_link *link, struct message *m)
{
	struct link_queue *q = link->all;
	const struct message_open open = {
		.client_address = "",
		.client_name = "",
		.helo = "",
		.user = "",
		.sender = m->inject.sender,
		.protocol = SMTP_PROTOCOL_LOCAL,
		.body = m->inject.body,
		.envid = "",
		.tls_version = "",
		.tls_cipher = "",
	};
	struct transaction *t;
	struct reply reply;
	int result;

	if (m->handle == 0)
		return -1;
	t = transaction_new(q->expander, &open);
	if (t == NULL)
		return -1;
	transaction_set_inject(t, m->handle);
	result = fill_transaction(t, m, &reply);
	if (result == 0)
		result = send_back(q, link, t, &reply);
	else
		transaction_free(&t);
	if (result == 1)
		send_unrouted(link, m->handle, &reply);
	return result == -1 ? -1 : 0;
}

static int
on_receive(struct channel *channel, struct message *m, void *context)
{
	(void)channel;
	if (m->type == MESSAGE_STORED)
		return on_stored(context, m);
	return m->type == MESSAGE_INJECT ? on_inject(context, m) : -1;
}

static void
fail_link(struct link_queue *q, const struct queue_link *link)
{
	struct reply reply;

	reply_set(
	    &reply, 451, "4.3.0 The queue went away, please try again later");
	parcels_finish_sent(&q->parcels, &link->handles, &reply);
	if (LIST_EMPTY(&q->links))
		parcels_finish_waiting(&q->parcels, &reply);
}

static void
on_closed(struct channel *channel, void *context)
{
	struct queue_link *link = context;
	struct link_queue *q = link->all;

	(void)channel;
	log_info("link-closed peer=queue instance=%u", link->instance);
	LIST_REMOVE(link, next);
	q->link_count--;
	fail_link(q, link);
	free(link);
	send_waiting(q);
}

/* A queue that does not answer must not hold clients for ever. */
void
link_queue_check_time(struct link_queue *q, struct monotime now)
{
	struct monotime limit =
	    monotime_add_ms(now, INT64_C(-1000) * LIMIT_STORING_SECONDS);
	struct reply reply;

	reply_set(&reply, 451,
	    "4.3.0 The queue takes too long, please try again later");
	parcels_answer_older(&q->parcels, limit, &reply);
}

static void
on_watch(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval interval = { WATCH_SECONDS, 0 };
	struct link_queue *q = context;

	(void)fd;
	(void)what;
	link_queue_check_time(q, monotime_now());
	if (q->parcels.count > 0)
		event_add(q->watch, &interval);
}

/* -- Links ----------------------------------------------------------------- */

/* Newest first: instances are numbered in the order of their birth. */
static void
insert_link(struct link_queue *q, struct queue_link *link)
{
	struct queue_link *at = LIST_FIRST(&q->links);

	q->link_count++;
	if (at == NULL || at->instance <= link->instance) {
		LIST_INSERT_HEAD(&q->links, link, next);
		return;
	}
	while (LIST_NEXT(at, next) != NULL &&
	       LIST_NEXT(at, next)->instance > link->instance)
		at = LIST_NEXT(at, next);
	LIST_INSERT_AFTER(at, link, next);
}

void
link_queue_add(struct link_queue *q, const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_receive,
		.closed = on_closed,
	};
	struct queue_link *link = NULL;

	if (q->link_count < LIMIT_PEERS)
		link = calloc(1, sizeof(*link));
	if (link == NULL) {
		log_error(
		    "link-refused peer=queue instance=%u", peer->instance);
		close(peer->fd);
		return;
	}
	link->all = q;
	link->instance = peer->instance;
	handles_init(&link->handles);
	link->channel = channel_new(
	    q->base, peer->fd, PROGRAM_ROUTER, PROGRAM_QUEUE, &handler, link);
	if (link->channel == NULL) {
		log_error(
		    "link-refused peer=queue instance=%u", peer->instance);
		free(link);
		return;
	}
	insert_link(q, link);
	send_waiting(q);
}

bool
link_queue_is_up(const struct link_queue *q)
{
	return !LIST_EMPTY(&q->links);
}

unsigned int
link_queue_outstanding(const struct link_queue *q)
{
	return q->parcels.count;
}

void
link_queue_free(struct link_queue **pointer)
{
	struct link_queue *q = *pointer;
	struct queue_link *link;

	*pointer = NULL;
	if (q == NULL)
		return;
	parcels_clear(&q->parcels);
	while ((link = LIST_FIRST(&q->links)) != NULL) {
		LIST_REMOVE(link, next);
		channel_free(&link->channel);
		free(link);
	}
	event_free(q->watch);
	free(q);
}
