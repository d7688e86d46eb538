#include "queue/control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/log.h"
#include "common/monotime.h"
#include "queue/control_peer.h"
#include "queue/control_work.h"

/* A client that reads fast is not kept waiting; one that does not costs few
 * looks. */
#define PAUSE_LEAST 1000
#define PAUSE_MOST 128000
/* However slow the disk is. */
#define REST_MOST 2000000
/* Without reading its answer: a person may be looking at it page by page. */
#define STALL_MS 300000
/* The same when others may be waiting to be let in. */
#define CROWDED_MS 5000

struct client {
	LIST_ENTRY(client) next;
	struct control_door *door;
	struct channel *channel;
	struct control_work *work; /* NULL between questions */
	struct event *turn;
	struct control_peer who;
	bool waits;	     /* for a commit of ours, not for the client */
	useconds_t pause;    /* before we look again whether it has read */
	unsigned int queued; /* at the last look */
	struct monotime active;
	int64_t took_us; /* by the last step */
};

static struct {
	struct event_base *base;
	struct event *tick;
	LIST_HEAD(client_list, client) clients;
} control;

static const struct timeval second = { 1, 0 };

static int on_question(struct channel *, struct message *, void *);
static void on_closed(struct channel *, void *);

static bool on_broken(void *);

static const struct channel_handler client_handler = {
	.receive = on_question,
	.closed = on_closed,
	.broken = on_broken,
};

/* Frees all but the channel. */
static void
client_free(struct client *c)
{
	struct control_door *door = c->door;

	LIST_REMOVE(c, next);
	door->count--;
	control_work_free(&c->work);
	event_free(c->turn);
	free(c);
	door->left();
}

static void
client_drop(struct client *c, const char *reason)
{
	log_info("control-drop door=%s uid=%u pid=%d reason=%s", c->door->name,
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

/* Whoever may connect may do this all day: one a second is enough. */
static bool
on_broken(void *context)
{
	static struct monotime last;
	const struct client *c = context;
	struct monotime now = monotime_now();

	if (last.nanoseconds != 0 && monotime_ms_between(last, now) < 1000)
		return false;
	last = now;
	log_warn("control-broken door=%s uid=%u pid=%d", c->door->name,
	    (unsigned int)c->who.uid, (int)c->who.pid);
	return true;
}

static void
turn_in(struct client *c, useconds_t us)
{
	struct timeval in = { us / 1000000, us % 1000000 };

	evtimer_add(c->turn, &in);
}

static void
rest(struct client *c)
{
	const struct control_door *door = c->door;
	int64_t us = c->took_us * door->rest_times * door->count;

	if (us > REST_MOST)
		us = REST_MOST;
	turn_in(c, us > door->rest_us ? (useconds_t)us : door->rest_us);
}

static void
on_commit(void *context)
{
	struct client *c = context;

	c->waits = false;
	rest(c);
}

static void
client_pause(struct client *c)
{
	turn_in(c, c->pause);
	if (c->pause < PAUSE_MOST)
		c->pause *= 2;
}

static void
on_turn(evutil_socket_t fd, short what, void *context)
{
	struct client *c = context;
	enum control_progress progress;

	(void)fd;
	(void)what;
	if (channel_queued(c->channel) >= CONTROL_BACKLOG) {
		client_pause(c);
		return;
	}
	c->pause = PAUSE_LEAST;
	c->active = monotime_now();
	progress = control_work_step(c->work);
	c->took_us =
	    (monotime_now().nanoseconds - c->active.nanoseconds) / 1000;
	switch (progress) {
	case CONTROL_MORE:
		rest(c);
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
	/* With much mail a round of the loop takes tens of milliseconds. */
	if (c->door->rest_us == 0)
		event_active(c->turn, EV_TIMEOUT, 0);
	else
		rest(c);
	return 0;
}

int
control_client_add(
    struct control_door *door, int fd_take, const struct control_peer *who)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd_take);
		return -1;
	}
	c->channel = channel_new(control.base, fd_take, PROGRAM_QUEUE,
	    PROGRAM_CTL, &client_handler, c);
	if (c->channel == NULL)
		goto out;
	c->turn = evtimer_new(control.base, on_turn, c);
	if (c->turn == NULL)
		goto out;
	c->door = door;
	c->who = *who;
	c->active = monotime_now();
	c->pause = PAUSE_LEAST;
	LIST_INSERT_HEAD(&control.clients, c, next);
	door->count++;
	if (!evtimer_pending(control.tick, NULL))
		evtimer_add(control.tick, &second);
	return 0;
out:
	channel_free(&c->channel);
	free(c);
	return -1;
}

unsigned int
control_clients_of(const struct control_door *door, uid_t uid)
{
	unsigned int count = 0;
	struct client *c;

	LIST_FOREACH (c, &control.clients, next)
		if (c->door == door && c->who.uid == uid)
			count++;
	return count;
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

static bool
asks(const struct client *c)
{
	return c->work != NULL || c->queued > 0;
}

static struct client *
find_stalled(struct monotime now)
{
	struct client *c;

	LIST_FOREACH (c, &control.clients, next) {
		int64_t ms = client_look(c, now);

		if (ms >= (asks(c) ? STALL_MS : c->door->idle_ms))
			return c;
	}
	return NULL;
}

/* Of each door that is full, the one that has kept us waiting the longest. */
static struct client *
find_crowding(struct monotime now)
{
	struct client *c, *slowest = NULL;

	LIST_FOREACH (c, &control.clients, next) {
		if (c->door->count < c->door->most ||
		    monotime_ms_between(c->active, now) < CROWDED_MS)
			continue;
		if (slowest == NULL ||
		    monotime_ms_between(c->active, slowest->active) > 0)
			slowest = c;
	}
	return slowest;
}

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	struct monotime now = monotime_now();
	struct client *c;

	(void)fd;
	(void)what;
	(void)context;
	while ((c = find_stalled(now)) != NULL)
		client_drop(c, asks(c) ? "stalled" : "idle");
	/* Then its door is not full any more. */
	while ((c = find_crowding(now)) != NULL)
		client_drop(c, "crowded");
	if (!LIST_EMPTY(&control.clients))
		evtimer_add(control.tick, &second);
}

void
control_clients_start(struct event_base *base)
{
	LIST_INIT(&control.clients);
	control.base = base;
	control.tick = evtimer_new(base, on_tick, NULL);
	if (control.tick == NULL)
		log_fatal(EX_OSERR, "control clients");
}
