#include "queue/workers.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/monotime.h"
#include "queue/destination.h"
#include "queue/lifecycle.h"
#include "queue/link_agent.h"
#include "queue/link_spawn.h"
#include "queue/scheduler.h"
#include "queue/scheduler_lists.h"
#include "queue/scheduler_share.h"

/* Processes at once; the one that has been idle for longest makes room. */
#define WORKERS_MOST 200
/* Beside them, those that are stuck, which takes no processor: a home that
 * hangs is nobody else's trouble. */
#define STUCK_MOST 200
/* And of all, for users whose delivery failed as a whole the last time. */
#define DOUBTFUL_MOST 50
#define IDLE_MS INT64_C(30000)
/* So long one works at least before it makes room for users who wait, and its
 * user waits in turn. */
#define TURN_MS INT64_C(2000)
/* A delivery that takes so long is stuck, */
#define STUCK_MS INT64_C(10000)
/* and one that takes longer hangs: the worker is killed. */
#define WATCHDOG_MS INT64_C(300000)
/* So long may spawn take to answer. */
#define HIRE_MS INT64_C(60000)
/* A refusal is good for what is due now, not for later. */
#define REFUSAL_MS INT64_C(5000)
#define WATCH_MS 1000

enum worker_state {
	WORKER_WANTED, /* spawn is not there to be asked */
	WORKER_HIRING,
	WORKER_IDLE,
	WORKER_BUSY,
	WORKER_REFUSED,
	WORKER_RESTING, /* has ended, for others: its user's turn comes again */
};

struct worker {
	RB_ENTRY(worker) by_user;
	TAILQ_ENTRY(worker) in_idle;
	enum worker_state state;
	struct monotime since;
	uint32_t number; /* of the request to spawn */
	uint32_t pid;
	bool doubtful; /* hired for a user whose last delivery failed */
	bool stuck;
	bool leaving;  /* gets no more: was hired through a spawn that is no
		       * longer ours, or */
	bool yielding; /* makes room for others when it is done */
	struct agent *agent;
	enum report_outcome outcome; /* of a refusal */
	char user[LIMIT_USER + 1];
	char reply[LIMIT_REPLY + 1];
};

RB_HEAD(worker_tree, worker);
TAILQ_HEAD(worker_list, worker);

static struct {
	struct event_base *base;
	struct event *watch;
	struct worker_tree tree;
	struct worker_list idle; /* the first has been idle for longest */
	unsigned int count;	 /* of processes */
	unsigned int doubtful, stuck, yielding; /* of these */
	bool wanted; /* somebody found no place since one was taken last */
	uint32_t number;
} state;

static int
compare(struct worker *a, struct worker *b)
{
	return strcmp(a->user, b->user);
}

RB_PROTOTYPE(worker_tree, worker, by_user, compare)
RB_GENERATE(worker_tree, worker, by_user, compare)

static const char *
user_of(const struct destination *d)
{
	return d->name + strlen("local:");
}

static void
wake_destination(const struct worker *w)
{
	char name[LIMIT_DESTINATION + 1];

	snprintf(name, sizeof(name), "local:%s", w->user);
	scheduler_agent_ready(ROUTE_MAILBOX, name);
}

/* Is there a process, or will there be? */
static bool
has_place(enum worker_state s)
{
	return s != WORKER_REFUSED && s != WORKER_RESTING;
}

static void
set_state(struct worker *w, enum worker_state next)
{
	if (w->state == WORKER_IDLE)
		TAILQ_REMOVE(&state.idle, w, in_idle);
	state.count -= has_place(w->state);
	state.count += has_place(next);
	w->state = next;
	w->since = monotime_now();
	if (next == WORKER_IDLE)
		TAILQ_INSERT_TAIL(&state.idle, w, in_idle);
}

static void
set_doubtful(struct worker *w, bool doubtful)
{
	state.doubtful += doubtful;
	state.doubtful -= w->doubtful;
	w->doubtful = doubtful;
}

static void
set_stuck(struct worker *w, bool stuck)
{
	state.stuck += stuck;
	state.stuck -= w->stuck;
	w->stuck = stuck;
}

static void
set_yielding(struct worker *w, bool yielding)
{
	state.yielding += yielding;
	state.yielding -= w->yielding;
	w->yielding = yielding;
}

/* Closing its channel ends the worker. */
static void
end_process(struct worker *w, enum worker_state next)
{
	set_state(w, next);
	set_doubtful(w, false);
	set_stuck(w, false);
	set_yielding(w, false);
	agent_free(&w->agent);
}

static void
dismiss(struct worker *w)
{
	end_process(w, WORKER_WANTED);
	RB_REMOVE(worker_tree, &state.tree, w);
	state.count--;
	wake_destination(w);
	free(w);
	scheduler_slot_free(ROUTE_MAILBOX);
}

/* Whoever waits has the place before its user knows that he may ask again. */
static void
rest(struct worker *w)
{
	end_process(w, WORKER_RESTING);
	scheduler_slot_free(ROUTE_MAILBOX);
}

/* -- The worker's link ---------------------------------------------------- */

static void
on_closed(struct agent *agent, void *context)
{
	struct worker *w = context;

	(void)agent;
	w->agent = NULL; /* frees itself */
	dismiss(w);
}

static void
on_idle(struct agent *agent, void *context)
{
	struct worker *w = context;

	(void)agent;
	set_state(w, WORKER_IDLE);
	set_doubtful(w, false);
	set_stuck(w, false);
	if (w->yielding)
		rest(w);
	else if (w->leaving)
		dismiss(w);
	else
		scheduler_slot_free(ROUTE_MAILBOX);
}

/* -- Hiring --------------------------------------------------------------- */

static void
refuse(struct worker *w, enum report_outcome outcome, const char *reply)
{
	strlcpy(w->reply, reply, sizeof(w->reply));
	w->outcome = outcome;
	set_state(w, WORKER_REFUSED);
	wake_destination(w);
	scheduler_slot_free(ROUTE_MAILBOX);
}

static void
ask(struct worker *w)
{
	w->number = ++state.number;
	set_state(w, spawn_hire(w->number, w->user) == 0 ? WORKER_HIRING
							 : WORKER_WANTED);
}

static struct worker *
find_request(uint32_t number)
{
	struct worker *w;

	RB_FOREACH (w, worker_tree, &state.tree)
		if (w->state == WORKER_HIRING && w->number == number)
			return w;
	log_warn("hire-answer-dropped handle=%" PRIu32, number);
	return NULL;
}

static void
on_hired(uint32_t number, int fd, uint32_t pid)
{
	static const struct agent_handler handler = {
		.closed = on_closed,
		.idle = on_idle,
	};
	struct worker *w = find_request(number);

	if (w == NULL) {
		close(fd);
		return;
	}
	w->pid = pid;
	w->agent = agent_new(
	    state.base, fd, PROGRAM_LOCAL, SCHEDULER_WINDOW_LOCAL, &handler, w);
	if (w->agent == NULL) {
		refuse(w, REPORT_DEFERRED, "4.3.0 Out of memory");
		return;
	}
	set_state(w, WORKER_IDLE);
	wake_destination(w);
}

static void
on_refused(uint32_t number, enum report_outcome outcome, const char *reply)
{
	struct worker *w = find_request(number);

	if (w != NULL)
		refuse(w, outcome, reply);
}

/* A worker knows the configuration of the spawn that forked it. With a new
 * spawn it finishes what it has, and the next mail goes to a new worker. */
static void
on_spawn_ready(void)
{
	struct worker *w, *following;

	RB_FOREACH_SAFE (w, worker_tree, &state.tree, following) {
		if (w->state == WORKER_IDLE || w->state == WORKER_REFUSED)
			dismiss(w);
		else if (w->state == WORKER_BUSY)
			w->leaving = true;
		else if (w->state == WORKER_WANTED)
			ask(w);
	}
}

static void
on_spawn_lost(void)
{
	struct worker *w;

	RB_FOREACH (w, worker_tree, &state.tree)
		if (w->state == WORKER_HIRING)
			set_state(w, WORKER_WANTED);
}

static bool
make_room(bool doubtful)
{
	unsigned int stuck =
	    state.stuck < STUCK_MOST ? state.stuck : STUCK_MOST;

	if (doubtful && state.doubtful >= DOUBTFUL_MOST)
		return false;
	if (state.count < WORKERS_MOST + stuck)
		return true;
	if (TAILQ_EMPTY(&state.idle)) {
		state.wanted = true;
		return false;
	}
	dismiss(TAILQ_FIRST(&state.idle));
	return true;
}

static void
explain_refusal(enum report_outcome outcome, const char *reply,
    struct lifecycle_report *refusal)
{
	*refusal = (struct lifecycle_report){
		.outcome = outcome,
		.scope = outcome == REPORT_DEFERRED ? REPORT_SCOPE_DESTINATION
						    : REPORT_SCOPE_RECIPIENT,
		.host = "",
		.reply = reply,
	};
}

/* A lack of memory is a refusal: if no other worker is there, nobody would say
 * that there is room again. */
static enum agent_state
hire(const struct destination *d, struct lifecycle_report *refusal)
{
	bool doubtful = share_standing(d) == SHARE_DOUBTFUL;
	struct worker *w;

	if (!make_room(doubtful))
		return AGENT_FULL;
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		explain_refusal(
		    REPORT_DEFERRED, "4.3.0 Out of memory", refusal);
		return AGENT_REFUSED;
	}
	strlcpy(w->user, user_of(d), sizeof(w->user));
	set_doubtful(w, doubtful);
	RB_INSERT(worker_tree, &state.tree, w);
	state.count++;
	state.wanted = false;
	ask(w);
	/* The tree has it: */
	return AGENT_COMING; /* NOLINT(clang-analyzer-unix.Malloc) */
}

/* -- For the scheduler ---------------------------------------------------- */

static bool
is_older(const struct worker *w, int64_t milliseconds)
{
	return monotime_ms_between(w->since, monotime_now()) >= milliseconds;
}

static struct worker *
find(const struct destination *d)
{
	static struct worker key;

	strlcpy(key.user, user_of(d), sizeof(key.user));
	return RB_FIND(worker_tree, &state.tree, &key);
}

/* Others wait, and it has had its turn; no more of these than others. One that
 * is stuck is in nobody's way. */
static bool
is_to_yield(const struct worker *w)
{
	return state.wanted && w->state == WORKER_BUSY && !w->stuck &&
	       state.yielding <= scheduler_list_count(LANE_FULL_LOCAL) &&
	       is_older(w, TURN_MS);
}

enum agent_state
workers_ready(const struct destination *d, struct lifecycle_report *refusal)
{
	struct worker *w = find(d);

	if (w == NULL)
		return hire(d, refusal);
	switch (w->state) {
	case WORKER_WANTED:
	case WORKER_HIRING:
	case WORKER_RESTING:
		return AGENT_COMING;
	case WORKER_IDLE:
	case WORKER_BUSY:
		if (!w->leaving && is_to_yield(w)) {
			w->leaving = true;
			set_yielding(w, true);
		}
		if (w->leaving)
			return AGENT_COMING; /* its successor */
		return agent_has_room(w->agent) ? AGENT_READY : AGENT_FULL;
	case WORKER_REFUSED:
		explain_refusal(w->outcome, w->reply, refusal);
		return AGENT_REFUSED;
	}
	return AGENT_COMING;
}

int
workers_deliver(const struct delivery *delivery)
{
	struct worker *w = find(delivery->destination);

	assert(w != NULL && w->agent != NULL);
	if (agent_deliver(w->agent, delivery) == -1)
		return -1;
	if (w->state == WORKER_IDLE)
		set_state(w, WORKER_BUSY);
	return 0;
}

/* -- Time ----------------------------------------------------------------- */

static bool
is_late(const struct worker *w, int64_t milliseconds)
{
	return agent_is_late(
	    w->agent, monotime_add_ms(monotime_now(), -milliseconds));
}

/* It would hang again if it were tried again at once. */
static void
give_up(struct worker *w)
{
	log_error(
	    "worker-hangs user=\"%s\" pid=%" PRIu32, log_text(w->user), w->pid);
	spawn_kill(w->number, w->pid);
	agent_give_up(&w->agent,
	    "4.4.7 The delivery took longer than five minutes, and was ended");
	dismiss(w);
}

static void
watch_busy(struct worker *w)
{
	bool was_stuck = w->stuck;

	set_stuck(w, is_late(w, STUCK_MS));
	set_yielding(w, w->yielding && !w->stuck);
	if (is_late(w, WATCHDOG_MS))
		give_up(w);
	else if (w->stuck && !was_stuck)
		scheduler_slot_free(ROUTE_MAILBOX);
}

static void
watch(struct worker *w)
{
	switch (w->state) {
	case WORKER_WANTED:
		break;
	case WORKER_RESTING:
		dismiss(w);
		break;
	case WORKER_HIRING:
		if (is_older(w, HIRE_MS))
			refuse(w, REPORT_DEFERRED,
			    "4.3.0 The delivery agent did not start");
		break;
	case WORKER_IDLE:
		if (is_older(w, IDLE_MS))
			dismiss(w);
		break;
	case WORKER_BUSY:
		watch_busy(w);
		break;
	case WORKER_REFUSED:
		if (is_older(w, REFUSAL_MS))
			dismiss(w);
		break;
	}
}

static void
on_watch(evutil_socket_t fd, short what, void *context)
{
	struct worker *w, *following;

	(void)fd;
	(void)what;
	(void)context;
	RB_FOREACH_SAFE (w, worker_tree, &state.tree, following)
		watch(w);
}

int
workers_start(struct event_base *base)
{
	static const struct timeval period = { WATCH_MS / 1000, 0 };
	static const struct spawn_handler handler = {
		.hired = on_hired,
		.refused = on_refused,
		.ready = on_spawn_ready,
		.lost = on_spawn_lost,
	};

	memset(&state, 0, sizeof(state));
	state.base = base;
	RB_INIT(&state.tree);
	TAILQ_INIT(&state.idle);
	spawn_start(base, &handler);
	state.watch = event_new(base, -1, EV_PERSIST, on_watch, NULL);
	if (state.watch != NULL && evtimer_add(state.watch, &period) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}
