#include "queue/remotes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "common/monotime.h"
#include "queue/destination.h"
#include "queue/link_agent.h"
#include "queue/scheduler.h"

/* Deliveries at one worker. */
#define DELIVERIES 1024
/* The remote worker has time-outs of its own, the longest ten minutes (RFC
 * 5321 4.5.3.2.6), for each address that it tries. One that has said nothing
 * for so long is broken. */
#define WATCHDOG_MS (60 * 60 * 1000)
#define WATCH_S 30

struct remote {
	TAILQ_ENTRY(remote) next;
	uint32_t instance, generation;
	struct agent *agent;
};

TAILQ_HEAD(remote_list, remote);

static struct {
	struct event_base *base;
	struct event *watch;
	struct remote_list all;
	uint32_t generation;
} state;

static unsigned int
current_count(void)
{
	struct remote *r;
	unsigned int count = 0;

	TAILQ_FOREACH (r, &state.all, next)
		if (r->generation == state.generation)
			count++;
	return count;
}

/* FNV-1a: an even spread of the names is all that is asked. */
static uint32_t
hash(const char *name)
{
	uint32_t h = 2166136261U;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619U;
	return h;
}

static struct remote *
remote_of(const struct destination *d)
{
	unsigned int count = current_count(), at;
	struct remote *r;

	if (count == 0)
		return NULL;
	at = hash(d->name) % count;
	TAILQ_FOREACH (r, &state.all, next)
		if (r->generation == state.generation && at-- == 0)
			return r;
	return NULL;
}

static void
forget(struct remote *r)
{
	TAILQ_REMOVE(&state.all, r, next);
	free(r);
	/* What waited for it may go to another one. */
	if (current_count() > 0)
		scheduler_agent_ready(ROUTE_MX, NULL);
}

static void
on_closed(struct agent *agent, void *context)
{
	struct remote *r = context;

	(void)agent;
	child_peer_lost(PROGRAM_REMOTE, r->instance);
	forget(r);
}

/* One of an older configuration ends when we let go of it. */
static void
let_go(struct remote *r)
{
	agent_free(&r->agent);
	forget(r);
}

static void
on_idle(struct agent *agent, void *context)
{
	struct remote *r = context;

	(void)agent;
	if (r->generation < state.generation)
		let_go(r);
}

static void
let_go_of_idle_ones(void)
{
	struct remote *r, *following;

	TAILQ_FOREACH_SAFE (r, &state.all, next, following)
		if (r->generation < state.generation &&
		    agent_in_flight(r->agent) == 0)
			let_go(r);
}

void
remotes_add(const struct child_peer *peer)
{
	static const struct agent_handler handler = {
		.closed = on_closed,
		.idle = on_idle,
	};
	struct remote *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		log_error("remote-not-taken error=\"%s\"", strerror(errno));
		close(peer->fd);
		child_peer_lost(PROGRAM_REMOTE, peer->instance);
		return;
	}
	r->instance = peer->instance;
	r->generation = peer->generation;
	r->agent = agent_new(
	    state.base, peer->fd, PROGRAM_REMOTE, DELIVERIES, &handler, r);
	if (r->agent == NULL) {
		log_error("remote-not-taken error=\"%s\"", strerror(errno));
		free(r);
		child_peer_lost(PROGRAM_REMOTE, peer->instance);
		return;
	}
	TAILQ_INSERT_TAIL(&state.all, r, next);
	if (r->generation > state.generation)
		state.generation = r->generation;
	let_go_of_idle_ones();
	scheduler_agent_ready(ROUTE_MX, NULL);
}

enum agent_state
remotes_ready(const struct destination *d)
{
	struct remote *r = remote_of(d);

	if (r == NULL)
		return AGENT_COMING;
	return agent_has_room(r->agent) ? AGENT_READY : AGENT_FULL;
}

int
remotes_deliver(const struct delivery *delivery)
{
	struct remote *r = remote_of(delivery->destination);

	assert(r != NULL);
	return agent_deliver(r->agent, delivery);
}

static void
on_watch(evutil_socket_t fd, short what, void *context)
{
	struct monotime since = monotime_add_ms(monotime_now(), -WATCHDOG_MS);
	struct remote *r, *following;

	(void)fd;
	(void)what;
	(void)context;
	TAILQ_FOREACH_SAFE (r, &state.all, next, following) {
		if (!agent_is_late(r->agent, since))
			continue;
		log_error("remote-hangs instance=%u", r->instance);
		child_peer_hangs(PROGRAM_REMOTE, r->instance);
		let_go(r);
	}
}

int
remotes_start(struct event_base *base)
{
	static const struct timeval period = { WATCH_S, 0 };

	memset(&state, 0, sizeof(state));
	state.base = base;
	TAILQ_INIT(&state.all);
	state.watch = event_new(base, -1, EV_PERSIST, on_watch, NULL);
	if (state.watch != NULL && evtimer_add(state.watch, &period) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}
