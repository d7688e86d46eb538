#include "queue/link_router.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/sys/queue.h>

#include "common/channel.h"
#include "common/child.h"
#include "common/log.h"
#include "common/mail.h"
#include "queue/clock.h"
#include "queue/commit.h"
#include "queue/redirection.h"
#include "queue/redirector.h"
#include "queue/reporter.h"
#include "queue/submission.h"
#include "queue/tell.h"

struct incomplete {
	TAILQ_ENTRY(incomplete) next;
	struct submission *submission;
};

struct router {
	LIST_ENTRY(router) next;
	struct channel *channel;
	uint32_t instance;
	TAILQ_HEAD(, incomplete) incomplete; /* the newest first */
	unsigned int count;
	size_t octets;
};

static LIST_HEAD(, router) routers = LIST_HEAD_INITIALIZER(routers);

static struct incomplete *
find(struct router *r, uint32_t handle)
{
	struct incomplete *i;

	TAILQ_FOREACH (i, &r->incomplete, next)
		if (i->submission->handle == handle)
			return i;
	return NULL;
}

/* Takes the submission out of the table. */
static struct submission *
incomplete_take(struct router *r, struct incomplete *i)
{
	struct submission *s = i->submission;

	TAILQ_REMOVE(&r->incomplete, i, next);
	r->count--;
	r->octets -= s->memory;
	free(i);
	return s;
}

static void
send_stored(struct channel *channel, uint32_t handle, uint64_t id,
    unsigned int code, const char *reply)
{
	struct message m = MESSAGE_INIT(MESSAGE_STORED, handle);

	m.stored.id = id;
	m.stored.code = (uint16_t)code;
	m.stored.reply = reply;
	if (channel_send(channel, &m) == -1)
		log_warn("router-not-answered error=\"%s\"", strerror(errno));
}

/* A link that is gone has been forgotten by the commit before. */
static void
on_answer(struct submission *s, unsigned int code, const char *reply)
{
	struct router *r = s->owner;

	if (s->telling != NULL)
		reporter_stored(r, s->inject, code);
	if (s->redirection != NULL)
		redirector_stored(r, s->inject, s->id, code, reply);
	send_stored(r->channel, s->handle, s->id, code, reply);
}

static int
on_envelope(struct router *r, struct message *m)
{
	struct incomplete *i;
	struct submission *s;

	if (r->count >= ROUTER_INCOMPLETE || find(r, m->handle) != NULL)
		return -1;
	i = calloc(1, sizeof(*i));
	s = i == NULL
		? NULL
		: submission_new(&m->envelope, m->fd, clock_milliseconds());
	if (s == NULL) {
		free(i);
		/* The ROUTEs of a message that we have no memory for cannot
		 * be told from those of a broken router. */
		log_warn("envelope-refused error=\"%s\"", strerror(errno));
		return -1;
	}
	message_take_fd(m);
	s->handle = m->handle;
	s->owner = r;
	s->answer = on_answer;
	s->inject = m->envelope.inject;
	i->submission = s;
	TAILQ_INSERT_HEAD(&r->incomplete, i, next);
	r->count++;
	r->octets += s->memory;
	return 0;
}

/* A message that says it is one of ours is believed only if it is. That is
 * asked when it is whole: what a router never finishes is given up like what
 * it never sends back. */
static int
recognise(struct router *r, struct submission *s)
{
	uint32_t inject = s->inject;
	const char *helo;

	if (inject == 0)
		return 0;
	if ((inject & INJECT_REDIRECTED) != 0) {
		s->redirection = redirector_take(r, inject, s->fd, s->size);
		if (s->redirection == NULL)
			log_warn("envelope-refused error=\"no such "
				 "redirection\"");
		return s->redirection == NULL ? -1 : 0;
	}
	s->telling = s->sender[0] == '\0'
			 ? reporter_take(r, inject, s->fd, s->size)
			 : NULL;
	if (s->telling == NULL) {
		log_warn("envelope-refused error=\"no such report\"");
		return -1;
	}
	helo = s->telling->is_notice ? TELL_HELO_NOTICE : TELL_HELO_REPORT;
	free(s->helo);
	s->helo = strdup(helo);
	return s->helo == NULL ? -1 : 0;
}

/* Takes it. */
static int
complete(struct router *r, struct submission *s)
{
	if (recognise(r, s) == -1) {
		submission_free(&s);
		return -1;
	}
	if (s->redirection == NULL ||
	    redirection_adopt(s->redirection, s) == 0) {
		commit_submission(s);
		return 0;
	}
	on_answer(s, 451, "4.3.1 Out of memory");
	submission_free(&s);
	return 0;
}

static int
on_route(struct router *r, const struct message *m)
{
	struct incomplete *i = find(r, m->handle);
	struct submission *s;
	int result;

	if (i == NULL)
		return -1;
	s = i->submission;
	r->octets -= s->memory;
	result = submission_add(s, &m->route);
	r->octets += s->memory;
	if (result == -1) {
		log_warn("route-refused error=\"%s\"", strerror(errno));
		return -1;
	}
	if (s->count == s->expected)
		return complete(r, incomplete_take(r, i));
	if (r->octets > ROUTER_INCOMPLETE_OCTETS) {
		log_warn("router-holds-too-much octets=%zu", r->octets);
		return -1;
	}
	return 0;
}

static int
on_unrouted(const struct router *r, const struct message *m)
{
	unsigned int class = m->unrouted.code / 100;

	if (class != 4 && class != 5)
		return -1;
	if ((m->handle & INJECT_REDIRECTED) != 0)
		redirector_unrouted(
		    r, m->handle, m->unrouted.code, m->unrouted.reply);
	else
		reporter_unrouted(
		    r, m->handle, m->unrouted.code, m->unrouted.reply);
	return 0;
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	(void)channel;
	if (m->type == MESSAGE_ENVELOPE)
		return on_envelope(context, m);
	if (m->type == MESSAGE_ROUTE)
		return on_route(context, m);
	if (m->type == MESSAGE_UNROUTED)
		return on_unrouted(context, m);
	return -1;
}

static void
on_closed(struct channel *channel, void *context)
{
	struct router *r = context;
	struct incomplete *i, *following;

	(void)channel;
	TAILQ_FOREACH_SAFE (i, &r->incomplete, next, following) {
		struct submission *s = incomplete_take(r, i);

		submission_free(&s);
	}
	commit_forget_owner(r);
	reporter_router_lost(r);
	redirector_router_lost(r);
	child_peer_lost(PROGRAM_ROUTER, r->instance);
	LIST_REMOVE(r, next);
	free(r);
}

/* NULL with errno; takes the peer's descriptor. */
static struct router *
make_router(struct event_base *base, const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct router *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		close(peer->fd);
		return NULL;
	}
	TAILQ_INIT(&r->incomplete);
	r->instance = peer->instance;
	r->channel = channel_new(
	    base, peer->fd, PROGRAM_QUEUE, PROGRAM_ROUTER, &handler, r);
	if (r->channel == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
router_add(struct event_base *base, const struct child_peer *peer)
{
	struct router *r = make_router(base, peer);

	if (r == NULL) {
		log_error("router-not-taken error=\"%s\"", strerror(errno));
		child_peer_lost(PROGRAM_ROUTER, peer->instance);
		return;
	}
	LIST_INSERT_HEAD(&routers, r, next);
}

/* Instances are numbered in the order of their birth. */
static struct router *
find_newest(void)
{
	struct router *r, *newest = NULL;

	LIST_FOREACH (r, &routers, next)
		if (newest == NULL || r->instance > newest->instance)
			newest = r;
	return newest;
}

const void *
router_inject(uint32_t handle, const struct message_inject *inject, int fd_take)
{
	struct message m = MESSAGE_INIT(MESSAGE_INJECT, handle);
	struct router *r = find_newest();

	if (r == NULL) {
		close(fd_take);
		return NULL;
	}
	m.fd = fd_take;
	m.inject = *inject;
	return channel_send(r->channel, &m) == -1 ? NULL : r;
}

bool
router_exists(void)
{
	return !LIST_EMPTY(&routers);
}
