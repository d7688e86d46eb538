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
#include "router/transaction.h"

#define WATCH_SECONDS 10
/* Half of what a channel holds, so that one message more, of whatever size,
 * always fits: see has_room(). */
#define RECORDS_MOST (LIMIT_CHANNEL_QUEUE / 2)

_Static_assert(LIMIT_EXPANSION + 1 <= LIMIT_CHANNEL_QUEUE,
    "the largest message must fit an idle link");

struct queue_link;

/* A message on its way; in one of the two lists. */
struct parcel {
	TAILQ_ENTRY(parcel) next;
	struct transaction *transaction;
	void *owner;		 /* NULL: nobody waits for the outcome */
	struct queue_link *link; /* NULL: it waits for room */
	uint32_t handle;
	struct monotime since;
};

TAILQ_HEAD(parcels, parcel);

struct place {
	struct parcel *parcel;
	uint32_t used; /* how often: the generation in the handle */
};

struct queue_link {
	LIST_ENTRY(queue_link) next;
	struct link_queue *all;
	struct channel *channel;
	uint32_t instance;
	struct place places[LIMIT_STORING];
	uint16_t unused[LIMIT_STORING]; /* a stack of indices */
	unsigned int unused_count;
};

LIST_HEAD(queue_links, queue_link);

struct link_queue {
	struct event_base *base;
	link_queue_outcome *outcome;
	struct queue_links links; /* the newest first */
	unsigned int link_count;
	struct parcels waiting, sent;
	unsigned int outstanding;
	struct event *watch;
};

static void on_watch(evutil_socket_t, short, void *);

struct link_queue *
link_queue_new(struct event_base *base, link_queue_outcome *outcome)
{
	struct link_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->base = base;
	q->outcome = outcome;
	LIST_INIT(&q->links);
	TAILQ_INIT(&q->waiting);
	TAILQ_INIT(&q->sent);
	q->watch = event_new(base, -1, 0, on_watch, q);
	if (q->watch == NULL) {
		free(q);
		return NULL;
	}
	return q;
}

/* -- Parcels --------------------------------------------------------------- */

static void
take_place(struct queue_link *link, struct parcel *p)
{
	uint16_t index = link->unused[--link->unused_count];
	struct place *place = &link->places[index];

	place->used++;
	place->parcel = p;
	p->link = link;
	p->handle = place->used * LIMIT_STORING + index;
}

static void
leave_place(struct parcel *p)
{
	uint16_t index = (uint16_t)(p->handle % LIMIT_STORING);

	p->link->places[index].parcel = NULL;
	p->link->unused[p->link->unused_count++] = index;
	p->link = NULL;
}

static struct parcel *
find_parcel(const struct queue_link *link, uint32_t handle)
{
	struct parcel *p = link->places[handle % LIMIT_STORING].parcel;

	return p != NULL && p->handle == handle ? p : NULL;
}

static void
discard(struct link_queue *q, struct parcel *p)
{
	if (p->link != NULL) {
		TAILQ_REMOVE(&q->sent, p, next);
		leave_place(p);
	} else
		TAILQ_REMOVE(&q->waiting, p, next);
	transaction_free(&p->transaction);
	free(p);
	q->outstanding--;
}

static void
tell_owner(struct link_queue *q, struct parcel *p, const struct reply *reply)
{
	void *owner = p->owner;

	p->owner = NULL;
	transaction_log(p->transaction, reply);
	if (owner != NULL)
		q->outcome(owner, reply);
}

static void
finish(struct link_queue *q, struct parcel *p, const struct reply *reply)
{
	tell_owner(q, p, reply);
	discard(q, p);
}

/* -- Sending --------------------------------------------------------------- */

/* One message alone always fits, since the link is idle then. */
static bool
has_room(const struct queue_link *link, const struct parcel *p)
{
	if (link->unused_count == LIMIT_STORING)
		return true;
	return link->unused_count > 0 &&
	       channel_queued(link->channel) +
		       transaction_routes(p->transaction)->count <
		   RECORDS_MOST;
}

static int
send_routes(struct queue_link *link, const struct parcel *p)
{
	const struct route *route;
	uint32_t number = 0;

	STAILQ_FOREACH(route, &transaction_routes(p->transaction)->list, next)
	{
		struct message m = MESSAGE_INIT(MESSAGE_ROUTE, p->handle);

		m.route = (struct message_route){
			.number = number,
			.address = route->address,
			.original = route->original,
			.kind = (uint8_t)route->kind,
			.name = route->name,
			.user = route->user,
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

	TAILQ_REMOVE(&q->waiting, p, next);
	take_place(link, p);
	p->since = monotime_now();
	TAILQ_INSERT_TAIL(&q->sent, p, next);
	m.handle = p->handle;
	transaction_make_envelope(p->transaction, &m);
	if (channel_send(link->channel, &m) == -1 || send_routes(link, p) == -1)
		assert(errno != EMSGSIZE && errno != EINVAL);
}

static void
send_waiting(struct link_queue *q)
{
	struct queue_link *link = LIST_FIRST(&q->links);
	struct parcel *p;

	while (link != NULL && (p = TAILQ_FIRST(&q->waiting)) != NULL &&
	       has_room(link, p))
		send_parcel(q, link, p);
}

struct parcel *
link_queue_submit(struct link_queue *q, struct transaction *take, void *owner)
{
	static const struct timeval interval = { WATCH_SECONDS, 0 };
	struct parcel *p = NULL;

	if (!LIST_EMPTY(&q->links))
		p = calloc(1, sizeof(*p));
	if (p == NULL) {
		transaction_free(&take);
		return NULL;
	}
	p->transaction = take;
	p->owner = owner;
	p->since = monotime_now();
	TAILQ_INSERT_TAIL(&q->waiting, p, next);
	q->outstanding++;
	if (!event_pending(q->watch, EV_TIMEOUT, NULL))
		event_add(q->watch, &interval);
	send_waiting(q);
	return p;
}

void
link_queue_abandon(struct link_queue *q, struct parcel *p)
{
	p->owner = NULL;
	if (p->link == NULL)
		discard(q, p);
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
	struct parcel *p = find_parcel(link, m->handle);
	struct reply reply;

	if (p == NULL) {
		log_warn("late peer=queue message=STORED handle=%u", m->handle);
		return 0;
	}
	if (m->stored.id != transaction_id(p->transaction) ||
	    !is_final_reply(&m->stored))
		return -1;
	if (m->stored.code == 250)
		reply_set(&reply, 250, "2.0.0 Ok: queued as %s",
		    id_format(m->stored.id).text);
	else
		reply_set(&reply, m->stored.code, "%s", m->stored.reply);
	finish(q, p, &reply);
	send_waiting(q);
	return 0;
}

static int
on_receive(struct channel *channel, struct message *m, void *context)
{
	(void)channel;
	return m->type == MESSAGE_STORED ? on_stored(context, m) : -1;
}

static void
fail_link(struct link_queue *q, const struct queue_link *link)
{
	struct parcel *p, *after;
	struct reply reply;

	reply_set(
	    &reply, 451, "4.3.0 The queue went away, please try again later");
	for (p = TAILQ_FIRST(&q->sent); p != NULL; p = after) {
		after = TAILQ_NEXT(p, next);
		if (p->link == link)
			finish(q, p, &reply);
	}
	if (LIST_EMPTY(&q->links))
		while ((p = TAILQ_FIRST(&q->waiting)) != NULL)
			finish(q, p, &reply);
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
static void
fail_late(struct link_queue *q, struct parcels *list, struct monotime limit)
{
	struct parcel *p, *after;
	struct reply reply;

	reply_set(&reply, 451,
	    "4.3.0 The queue takes too long, please try again later");
	for (p = TAILQ_FIRST(list); p != NULL; p = after) {
		after = TAILQ_NEXT(p, next);
		if (!monotime_is_before(p->since, limit))
			return;
		if (p->owner == NULL)
			continue;
		if (p->link == NULL)
			finish(q, p, &reply);
		else
			tell_owner(q, p, &reply);
	}
}

void
link_queue_check_time(struct link_queue *q, struct monotime now)
{
	struct monotime limit =
	    monotime_add_ms(now, INT64_C(-1000) * LIMIT_STORING_SECONDS);

	fail_late(q, &q->sent, limit);
	fail_late(q, &q->waiting, limit);
}

static void
on_watch(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval interval = { WATCH_SECONDS, 0 };
	struct link_queue *q = context;

	(void)fd;
	(void)what;
	link_queue_check_time(q, monotime_now());
	if (q->outstanding > 0)
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
	for (unsigned int i = 0; i < LIMIT_STORING; i++)
		link->unused[i] = (uint16_t)(LIMIT_STORING - 1 - i);
	link->unused_count = LIMIT_STORING;
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
	return q->outstanding;
}

static void
free_all(struct parcels *list)
{
	struct parcel *p, *after;

	for (p = TAILQ_FIRST(list); p != NULL; p = after) {
		after = TAILQ_NEXT(p, next);
		transaction_free(&p->transaction);
		free(p);
	}
}

void
link_queue_free(struct link_queue **pointer)
{
	struct link_queue *q = *pointer;
	struct queue_link *link;

	*pointer = NULL;
	if (q == NULL)
		return;
	free_all(&q->sent);
	free_all(&q->waiting);
	while ((link = LIST_FIRST(&q->links)) != NULL) {
		LIST_REMOVE(link, next);
		channel_free(&link->channel);
		free(link);
	}
	event_free(q->watch);
	free(q);
}
