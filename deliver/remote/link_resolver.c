#include "deliver/remote/link_resolver.h"

#include <sys/time.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/log.h"
#include "common/monotime.h"

/* The resolver answers within its own limit; this is for one that died. */
#define PATIENCE_SECONDS (LIMIT_QUESTION_SECONDS + 10)

struct question {
	RB_ENTRY(question) by_handle;
	TAILQ_ENTRY(question) by_age;
	uint32_t handle;
	enum dns_kind kind;
	char name[LIMIT_DOMAIN + 1];
	question_answered answered;
	void *context;
	struct channel *asked; /* NULL: not asked of any resolver now */
	struct monotime deadline;
};

RB_HEAD(questions, question);

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
	struct channel *newest;
	struct questions questions;
	TAILQ_HEAD(ages, question) ages;
	uint32_t last_handle;
} state;

static void
question_free(struct question *q)
{
	RB_REMOVE(questions, &state.questions, q);
	TAILQ_REMOVE(&state.ages, q, by_age);
	free(q);
}

static void
send_question(struct question *q)
{
	struct message m = MESSAGE_INIT(MESSAGE_QUESTION, q->handle);

	m.question.kind = (uint8_t)q->kind;
	m.question.name = q->name;
	/* If the link fails now, its end brings the question back. */
	q->asked = state.newest;
	if (q->asked != NULL)
		(void)channel_send(q->asked, &m);
}

static void
finish(struct question *q, enum dns_outcome outcome, struct bytes records,
    const char *reason)
{
	question_answered answered = q->answered;
	void *context = q->context;
	enum dns_kind kind = q->kind;

	question_free(q);
	answered(context, kind, outcome, records, reason);
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	struct question key = { .handle = m->handle };
	struct question *q;

	(void)context;
	if (m->type != MESSAGE_ANSWER || m->answer.outcome >= DNS_OUTCOMES)
		return -1;
	q = RB_FIND(questions, &state.questions, &key);
	if (q == NULL || q->asked != channel) {
		/* Cancelled, or asked again elsewhere in the meantime. */
		log_debug("answer-late handle=%u", m->handle);
		return 0;
	}
	if (m->answer.kind != q->kind)
		return -1;
	finish(q, (enum dns_outcome)m->answer.outcome, m->answer.records,
	    m->answer.reason);
	return 0;
}

static void
on_closed(struct channel *channel, void *context)
{
	struct question *q;

	(void)context;
	if (state.newest == channel)
		state.newest = NULL;
	TAILQ_FOREACH (q, &state.ages, by_age)
		if (q->asked == channel)
			send_question(q);
}

void
link_resolver_open(const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct channel *channel = channel_new(state.base, peer->fd,
	    PROGRAM_REMOTE, PROGRAM_RESOLVER, &handler, NULL);
	struct question *q;

	if (channel == NULL) {
		log_warn("link-lost peer=resolver");
		return;
	}
	state.newest = channel;
	TAILQ_FOREACH (q, &state.ages, by_age)
		if (q->asked == NULL)
			send_question(q);
}

struct question *
link_resolver_ask(enum dns_kind kind, const char *name,
    question_answered answered, void *context)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->kind = kind;
	strlcpy(q->name, name, sizeof(q->name));
	q->answered = answered;
	q->context = context;
	q->deadline =
	    monotime_add_ms(monotime_now(), PATIENCE_SECONDS * INT64_C(1000));
	do
		q->handle = ++state.last_handle;
	while (RB_INSERT(questions, &state.questions, q) != NULL);
	TAILQ_INSERT_TAIL(&state.ages, q, by_age);
	send_question(q);
	return q;
}

void
link_resolver_cancel(struct question **pointer)
{
	struct question *q = *pointer;

	*pointer = NULL;
	if (q != NULL)
		question_free(q);
}

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	struct monotime now = monotime_now();
	struct question *q;

	(void)fd;
	(void)what;
	(void)context;
	while ((q = TAILQ_FIRST(&state.ages)) != NULL &&
	       monotime_is_before(q->deadline, now))
		finish(q, DNS_TIMEOUT, (struct bytes){ NULL, 0 },
		    "no answer from the resolver");
}

void
link_resolver_init(struct event_base *base)
{
	static const struct timeval second = { 1, 0 };

	state.base = base;
	RB_INIT(&state.questions);
	TAILQ_INIT(&state.ages);
	state.watchdog = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	if (state.watchdog == NULL || event_add(state.watchdog, &second) == -1)
		log_fatal(EX_OSERR, "watchdog");
}
