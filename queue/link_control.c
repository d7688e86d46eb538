#include "queue/link_control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/acceptor.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/monotime.h"
#include "queue/control_peer.h"
#include "queue/control_work.h"

#define CONTROL_CLIENTS 16
/* A client that reads fast is not kept waiting; one that does not costs few
 * looks. */
#define PAUSE_LEAST 1000
#define PAUSE_MOST 128000
/* Without a question. */
#define IDLE_MS 30000
/* Without reading its answer: a person may be looking at it page by page. */
#define STALL_MS 300000
/* The same when others may be waiting to be let in. */
#define CROWDED_MS 5000

struct client {
	LIST_ENTRY(client) next;
	struct channel *channel;
	struct control_work *work; /* NULL between questions */
	struct event *turn;
	struct control_peer who;
	bool waits;	     /* for a commit of ours, not for the client */
	suseconds_t pause;   /* before we look again whether it has read */
	unsigned int queued; /* at the last look */
	struct monotime active;
};

static struct {
	struct event_base *base;
	struct acceptor *acceptor;
	struct event *tick;
	LIST_HEAD(client_list, client) clients;
	unsigned int count;
} control;

static const struct timeval at_once = { 0, 0 };
static const struct timeval second = { 1, 0 };

static int on_question(struct channel *, struct message *, void *);
static void on_closed(struct channel *, void *);

static const struct channel_handler client_handler = {
	.receive = on_question,
	.closed = on_closed,
};

/* Frees all but the channel. */
static void
client_free(struct client *c)
{
	LIST_REMOVE(c, next);
	control.count--;
	control_work_free(&c->work);
	event_free(c->turn);
	free(c);
	acceptor_resume(control.acceptor);
}

static void
client_drop(struct client *c, const char *reason)
{
	log_info("control-drop uid=%u pid=%d reason=%s",
	    (unsigned int)c->who.uid, (int)c->who.pid, reason);
	channel_free(&c->channel);
	client_free(c);
}

static void
on_closed(struct channel *channel, void *context)
{
	(void)channel;
	client_free(context);
}

static void
on_commit(void *context)
{
	struct client *c = context;

	c->waits = false;
	evtimer_add(c->turn, &at_once);
}

static void
client_pause(struct client *c)
{
	struct timeval pause = { .tv_usec = c->pause };

	evtimer_add(c->turn, &pause);
	if (c->pause < PAUSE_MOST)
		c->pause *= 2;
}

static void
on_turn(evutil_socket_t fd, short what, void *context)
{
	struct client *c = context;

	(void)fd;
	(void)what;
	if (channel_queued(c->channel) >= CONTROL_BACKLOG) {
		client_pause(c);
		return;
	}
	c->pause = PAUSE_LEAST;
	c->active = monotime_now();
	switch (control_work_step(c->work)) {
	case CONTROL_MORE:
		evtimer_add(c->turn, &at_once);
		break;
	case CONTROL_WAITS:
		c->waits = true;
		break;
	case CONTROL_DONE:
		control_work_free(&c->work);
		break;
	}
}

static int
on_question(struct channel *channel, struct message *m, void *context)
{
	struct client *c = context;

	if (c->work != NULL)
		return -1;
	c->work = control_work_new(channel, m, &c->who, on_commit, c);
	if (c->work == NULL)
		return -1;
	c->active = monotime_now();
	evtimer_add(c->turn, &at_once);
	return 0;
}

static struct client *
client_new(int fd_take)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd_take);
		return NULL;
	}
	if (control_peer_read(fd_take, &c->who) == -1) {
		close(fd_take);
		goto out;
	}
	c->channel = channel_new(control.base, fd_take, PROGRAM_QUEUE,
	    PROGRAM_CTL, &client_handler, c);
	if (c->channel == NULL)
		goto out;
	c->turn = evtimer_new(control.base, on_turn, c);
	if (c->turn == NULL)
		goto out;
	c->active = monotime_now();
	c->pause = PAUSE_LEAST;
	return c;
out:
	channel_free(&c->channel);
	free(c);
	return NULL;
}

static void
on_taken(int fd, const struct sockaddr *from, void *context)
{
	struct client *c = client_new(fd);

	(void)from;
	(void)context;
	if (c == NULL) {
		log_warn("control-client error=\"%s\"", strerror(errno));
		return;
	}
	LIST_INSERT_HEAD(&control.clients, c, next);
	control.count++;
	if (control.count == CONTROL_CLIENTS)
		acceptor_pause(control.acceptor);
	if (!evtimer_pending(control.tick, NULL))
		evtimer_add(control.tick, &second);
}

/* For how long it has kept us waiting, in milliseconds. */
static int64_t
client_look(struct client *c, struct monotime now)
{
	unsigned int queued = channel_queued(c->channel);

	if (c->waits || queued < c->queued)
		c->active = now;
	c->queued = queued;
	return monotime_ms_between(c->active, now);
}

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	struct monotime now = monotime_now();
	struct client *c, *next, *slowest = NULL;
	int64_t longest = CROWDED_MS;

	(void)fd;
	(void)what;
	(void)context;
	for (c = LIST_FIRST(&control.clients); c != NULL; c = next) {
		int64_t ms = client_look(c, now);
		bool asks = c->work != NULL || c->queued > 0;

		next = LIST_NEXT(c, next);
		if (ms >= (asks ? STALL_MS : IDLE_MS)) {
			client_drop(c, asks ? "stalled" : "idle");
			continue;
		}
		if (ms >= longest) {
			longest = ms;
			slowest = c;
		}
	}
	if (control.count == CONTROL_CLIENTS && slowest != NULL)
		client_drop(slowest, "crowded");
	if (control.count > 0)
		evtimer_add(control.tick, &second);
}

void
control_start(struct event_base *base, int listener_fd)
{
	LIST_INIT(&control.clients);
	control.base = base;
	control.acceptor = acceptor_new(base, listener_fd, on_taken, NULL);
	control.tick = evtimer_new(base, on_tick, NULL);
	if (control.acceptor == NULL || control.tick == NULL)
		log_fatal(EX_OSERR, "control socket");
}
