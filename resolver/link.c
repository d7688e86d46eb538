#include "resolver/link.h"

#include <sys/time.h>

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/child.h"
#include "common/log.h"
#include "common/monotime.h"
#include "resolver/lookup.h"
#include "resolver/name.h"

struct link;

struct question {
	struct lookup lookup; /* first: libunbound hands this one back */
	RB_ENTRY(question) by_handle;
	TAILQ_ENTRY(question) by_age;
	struct link *link;
	uint32_t handle;
	struct monotime deadline;
	bool starting; /* lookup_start() has not returned yet */
	bool answered;
};

RB_HEAD(questions, question);

struct link {
	LIST_ENTRY(link) next;
	struct channel *channel;
	uint32_t instance;
	struct questions questions;
	unsigned int count;
};

static int
compare(const struct question *a, const struct question *b)
{
	return (a->handle > b->handle) - (a->handle < b->handle);
}

RB_PROTOTYPE(questions, question, by_handle, compare)
RB_GENERATE(questions, question, by_handle, compare)

static struct {
	struct event_base *base;
	struct event *watchdog;
	LIST_HEAD(links, link) links;
	/* All wait equally long, so the oldest is the first to be late. */
	TAILQ_HEAD(ages, question) ages;
	bool draining;
} state;

static void
question_free(struct question *q)
{
	RB_REMOVE(questions, &q->link->questions, q);
	q->link->count--;
	TAILQ_REMOVE(&state.ages, q, by_age);
	free(q);
}

static void
send_answer(struct channel *channel, uint32_t handle, enum dns_kind kind,
    const struct lookup_result *result)
{
	struct message m = MESSAGE_INIT(MESSAGE_ANSWER, handle);

	m.answer.kind = (uint8_t)kind;
	m.answer.outcome = (uint8_t)result->outcome;
	m.answer.secure = result->secure;
	m.answer.ttl = result->ttl;
	m.answer.records = result->records;
	m.answer.reason = result->reason;
	/* A link that cannot be written to ends by itself. */
	(void)channel_send(channel, &m);
}

static void
on_done(struct lookup *lookup, const struct lookup_result *result)
{
	struct question *q = (struct question *)lookup;

	send_answer(q->link->channel, q->handle, lookup->kind, result);
	if (q->starting)
		q->answered = true;
	else
		question_free(q);
}

static void
refuse(struct channel *channel, uint32_t handle, enum dns_kind kind,
    const char *reason)
{
	struct lookup_result result = { .outcome = DNS_SERVFAIL,
		.reason = reason };

	send_answer(channel, handle, kind, &result);
}

static int
ask(struct link *link, uint32_t handle, enum dns_kind kind, const char *name)
{
	struct question *q = calloc(1, sizeof(*q));
	const char *reason;
	int started;

	if (q == NULL) {
		refuse(link->channel, handle, kind, "out of memory");
		return 0;
	}
	q->lookup.kind = kind;
	q->lookup.done = on_done;
	q->link = link;
	q->handle = handle;
	if (RB_INSERT(questions, &link->questions, q) != NULL) {
		free(q); /* the handle is in use: the peer is broken */
		return -1;
	}
	link->count++;
	q->deadline = monotime_add_ms(
	    monotime_now(), LIMIT_QUESTION_SECONDS * INT64_C(1000));
	TAILQ_INSERT_TAIL(&state.ages, q, by_age);
	q->starting = true;
	started = lookup_start(&q->lookup, name, &reason);
	q->starting = false;
	if (started == -1)
		refuse(link->channel, handle, kind, reason);
	if (started == -1 || q->answered)
		question_free(q);
	return 0;
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	struct link *link = context;
	char name[NAME_SIZE];
	enum dns_kind kind;

	if (m->type != MESSAGE_QUESTION || m->question.kind >= DNS_KINDS)
		return -1;
	kind = (enum dns_kind)m->question.kind;
	if (name_make(kind, m->question.name, name) == -1)
		return -1;
	if (link->count >= LIMIT_QUESTIONS) {
		refuse(channel, m->handle, kind, "too many questions");
		return 0;
	}
	return ask(link, m->handle, kind, name);
}

static void
exit_if_done(void)
{
	if (state.draining && LIST_EMPTY(&state.links))
		event_base_loopexit(state.base, NULL);
}

static void
on_closed(struct channel *channel, void *context)
{
	struct link *link = context;
	struct question *q;

	log_debug("link-closed peer=%s instance=%u questions=%u",
	    program_name(channel_peer(channel)), link->instance, link->count);
	child_peer_lost(channel_peer(channel), link->instance);
	/* The analyser does not see that question_free() takes the question
	 * off the tree. */
	while ((q = RB_ROOT(&link->questions)) != NULL) {
		lookup_cancel(&q->lookup);
		question_free(q); /* NOLINT(clang-analyzer-unix.Malloc) */
	}
	LIST_REMOVE(link, next);
	free(link);
	exit_if_done();
}

/* NULL if there is no memory for it; takes the peer's descriptor. */
static struct link *
link_new(const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL) {
		close(peer->fd);
		return NULL;
	}
	RB_INIT(&link->questions);
	link->instance = peer->instance;
	link->channel = channel_new(state.base, peer->fd, PROGRAM_RESOLVER,
	    peer->program, &handler, link);
	if (link->channel == NULL) {
		free(link);
		return NULL;
	}
	return link;
}

void
link_open(const struct child_peer *peer)
{
	struct link *link;

	if (!message_is_allowed(
		MESSAGE_QUESTION, peer->program, PROGRAM_RESOLVER)) {
		log_warn("link-refused peer=%s", program_name(peer->program));
		close(peer->fd);
		return;
	}
	link = link_new(peer);
	if (link == NULL) {
		log_warn("link-lost peer=%s", program_name(peer->program));
		child_peer_lost(peer->program, peer->instance);
		return;
	}
	LIST_INSERT_HEAD(&state.links, link, next);
}

/* libunbound tries for longer than anyone who asks would wait. */
static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	static const struct lookup_result late = { .outcome = DNS_TIMEOUT,
		.reason = "no answer in time" };
	struct monotime now = monotime_now();
	struct question *q;

	(void)fd;
	(void)what;
	(void)context;
	while ((q = TAILQ_FIRST(&state.ages)) != NULL &&
	       monotime_is_before(q->deadline, now)) {
		lookup_cancel(&q->lookup);
		send_answer(q->link->channel, q->handle, q->lookup.kind, &late);
		question_free(q);
	}
}

void
link_init(struct event_base *base)
{
	static const struct timeval second = { 1, 0 };

	state.base = base;
	LIST_INIT(&state.links);
	TAILQ_INIT(&state.ages);
	state.watchdog = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	if (state.watchdog == NULL || event_add(state.watchdog, &second) == -1)
		log_fatal(EX_OSERR, "watchdog");
}

void
link_drain(void)
{
	state.draining = true;
	exit_if_done();
}
