#include "queue/scheduler.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <event2/event.h>

#include "common/id.h"
#include "common/log.h"
#include "common/monotime.h"
#include "queue/clock.h"
#include "queue/collect.h"
#include "queue/commit.h"
#include "queue/content_cache.h"
#include "queue/delivery.h"
#include "queue/destination.h"
#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/losses.h"
#include "queue/scheduler_lists.h"
#include "queue/scheduler_share.h"
#include "queue/stats.h"
#include "queue/store.h"
#include "queue/turn.h"

/* A lost agent is back within a second, or its host is in trouble. */
#define LOST_LOCAL_MS 1000
#define LOST_REMOTE_MS 500
/* A recipient that has cost so many agents waits as if it were deferred. */
#define LOSSES_MOST 3

/* Work of one turn, so that the links are read in between. */
#define TURN_DELIVERIES 512
/* Looks at destinations that wait for a time in memory. */
#define LATER_MS 100
/* Looks at the wake index at least so often: the clock may be set. */
#define WAKE_MOST_S 60
/* One look goes past so many for which there is no place: of the other kind
 * there may be. */
#define WAKE_PAST 8192

static struct {
	struct lifecycle *lifecycle;
	const struct delivery_agents *agents;
	struct event *wake_timer;
	struct event *later_timer;
	uint64_t wake_at; /* what the timer is set to; 0 if it is not */
	bool more_local;  /* the wake index holds more than fits */
	bool more_remote;
	bool paused;
} state;

unsigned int
scheduler_in_flight(enum route_kind kind)
{
	return share_in_flight(kind);
}

static unsigned int
active(bool local)
{
	const struct destinations *all = state.lifecycle->destinations;
	unsigned int count = local ? all->local : all->count - all->local;

	return count - scheduler_list_idle(local);
}

unsigned int
scheduler_active(void)
{
	return active(true) + active(false);
}

static bool *
more_of(bool local)
{
	return local ? &state.more_local : &state.more_remote;
}

/* -- Lists ---------------------------------------------------------------- */

/* Until `next_due`, wall time, or if that is 0 until `lane.not_before`. */
static void
be_later(struct destination *d, uint64_t next_due)
{
	static const struct timeval period = { 0,
		(suseconds_t)LATER_MS * 1000 };

	d->lane.next_due = next_due;
	scheduler_list_set(d, LANE_LATER);
	if (state.later_timer != NULL &&
	    !evtimer_pending(state.later_timer, NULL))
		evtimer_add(state.later_timer, &period);
}

static bool
is_busy(const struct destination *d)
{
	return d->changed || d->lane.flights + d->lane.in_flight > 0;
}

/* Nothing to hand out: busy with what is in flight, or idle. */
static void
be_quiet(struct destination *d)
{
	struct destinations *all = state.lifecycle->destinations;
	struct destination *old;

	if (is_busy(d))
		scheduler_list_set(d, LANE_NONE);
	else
		scheduler_list_set(
		    d, d->lane.answered ? LANE_KNOWN : LANE_IDLE);
	while ((old = scheduler_list_surplus()) != NULL) {
		scheduler_list_set(old, LANE_NONE);
		if (!old->changed) /* else it is considered soon */
			destination_close(all, &old);
	}
}

static void
be_ready(struct destination *d)
{
	scheduler_list_set(d, LANE_READY);
	if (!state.paused)
		turn_soon();
}

static void
set_wake_timer(uint64_t at)
{
	uint64_t now = clock_milliseconds(), wait = 0;
	struct timeval delay;

	if (state.wake_timer == NULL ||
	    (state.wake_at != 0 && state.wake_at <= at))
		return;
	if (at * 1000 > now)
		wait = at * 1000 - now;
	if (wait > UINT64_C(1000) * WAKE_MOST_S)
		wait = UINT64_C(1000) * WAKE_MOST_S;
	delay.tv_sec = (time_t)(wait / 1000);
	delay.tv_usec = (suseconds_t)(wait % 1000 * 1000);
	state.wake_at = at;
	evtimer_add(state.wake_timer, &delay);
}

static bool
has_come(uint64_t time)
{
	return retry_is_due(&state.lifecycle->retry, time, clock_seconds());
}

static bool
is_backing_off(const struct destination *d)
{
	return !has_come(d->row.backoff_until);
}

static bool
has_work(const struct destination *d)
{
	if (d->first_due == 0 || !has_come(d->first_due))
		return false;
	return !is_backing_off(d) || d->lane.sweeping;
}

/* May it wait in memory for its turn? Those that failed have half of the
 * places, so that they are not in the way of the others; a sound one is in
 * memory anyway. */
static bool
has_place(const struct destination *d)
{
	unsigned int count = active(share_is_local(d));

	if (d->lane.flights > 0)
		return true;
	switch (share_standing(d)) {
	case SHARE_SOUND:
		return !share_is_local(d) || count <= SCHEDULER_ACTIVE;
	case SHARE_UNTRIED:
		return count <= SCHEDULER_ACTIVE;
	case SHARE_DOUBTFUL:
	case SHARE_STANDINGS:
		break;
	}
	return count <= SCHEDULER_ACTIVE / 2;
}

/* Its stored part has changed: has it mail that is due? */
static void
consider(struct destination *d)
{
	if (d->lane.list != LANE_NONE && !scheduler_list_is_idle(d) &&
	    (d->lane.list != LANE_LATER || d->lane.next_due == 0))
		return;
	if (!has_work(d))
		be_quiet(d);
	else if (has_place(d))
		be_ready(d);
	else {
		*more_of(share_is_local(d)) = true;
		be_quiet(d);
	}
	if (!has_come(d->row.wake))
		set_wake_timer(d->row.wake);
}

void
scheduler_committed(void)
{
	struct destinations *all = state.lifecycle->destinations;
	struct destination *d;

	while ((d = TAILQ_FIRST(&all->changed)) != NULL) {
		TAILQ_REMOVE(&all->changed, d, in_changed);
		d->changed = false;
		consider(d);
	}
}

/* -- Handing out ---------------------------------------------------------- */

/* There will be no agent. A final refusal is each recipient's; a temporary one
 * is the destination's, which one report says for all. What could not be noted
 * is not in flight any more: that is tried again. */
static void
report_refusal(struct delivery *delivery, const struct lifecycle_report *report)
{
	for (unsigned int i = 0; i < delivery->count; i++)
		scheduler_report(delivery->flights[i], report);
}

static void
be_later_or_quiet(struct destination *d)
{
	/* The wake index does not speak of what is busy: the memory must. */
	if (d->lane.next_due != 0 &&
	    (d->lane.flights > 0 || d->first_due < d->lane.next_due))
		be_later(d, d->lane.next_due);
	else
		be_quiet(d);
}

static void
hand_out(struct destination *d, struct delivery *delivery,
    enum agent_state agent, const struct lifecycle_report *refusal)
{
	delivery->destination = d;
	collect_recipients(delivery);
	if (delivery->count == 0) {
		be_later_or_quiet(d);
		return;
	}
	if (agent == AGENT_REFUSED) {
		report_refusal(delivery, refusal);
		if (d->lane.flights == 0) /* no memory to note it */
			be_later(d, 0);
		else if (refusal->outcome == REPORT_DEFERRED)
			scheduler_list_set(d, LANE_NONE);
		else
			scheduler_list_set(d, LANE_READY);
		return;
	}
	if (collect_content(delivery) == -1) {
		scheduler_list_set(d, LANE_READY); /* for the next message */
		return;
	}
	share_take(d);
	if (state.agents->deliver(delivery) == -1) {
		share_give_back(d);
		collect_give_back(delivery);
		be_later(d, 0);
		return;
	}
	scheduler_list_set(d, LANE_READY); /* to its end */
}

static void
sweep(struct destination *d)
{
	if (d->lane.sweeping && collect_sweep_step(d))
		scheduler_list_set(d, LANE_NONE); /* until the commit */
	else if (d->lane.sweeping)
		scheduler_list_set(d, LANE_READY); /* its next turn */
	else
		be_quiet(d);
}

static void
be_full(struct destination *d)
{
	static const enum lane_list lists[SHARE_STANDINGS] = {
		[SHARE_SOUND] = LANE_FULL_SOUND,
		[SHARE_UNTRIED] = LANE_FULL_UNTRIED,
		[SHARE_DOUBTFUL] = LANE_FULL_DOUBTFUL,
	};

	scheduler_list_set(
	    d, share_is_local(d) ? LANE_FULL_LOCAL : lists[share_standing(d)]);
}

static bool
is_full(const struct destination *d)
{
	return d->lane.list == LANE_FULL_LOCAL ||
	       d->lane.list == LANE_FULL_SOUND ||
	       d->lane.list == LANE_FULL_UNTRIED ||
	       d->lane.list == LANE_FULL_DOUBTFUL;
}

static bool
must_wait(const struct destination *d)
{
	return monotime_is_before(monotime_now(), d->lane.not_before);
}

/* One turn of one destination. */
static void
serve(struct destination *d, struct delivery *delivery)
{
	struct lifecycle_report refusal;
	enum agent_state agent;

	if (must_wait(d)) {
		be_later(d, 0);
		return;
	}
	if (is_backing_off(d)) {
		sweep(d);
		return;
	}
	if (d->lane.in_doubt || d->lane.in_flight >= share_window(d)) {
		be_quiet(d);
		return;
	}
	if (!share_is_left(d)) {
		if (d->lane.in_flight > 0)
			be_quiet(d);
		else
			be_full(d);
		return;
	}
	agent = state.agents->ready(d, &refusal);
	switch (agent) {
	case AGENT_COMING:
		scheduler_list_set(d, LANE_COMING);
		break;
	case AGENT_FULL:
		be_full(d);
		break;
	case AGENT_READY:
	case AGENT_REFUSED:
		hand_out(d, delivery, agent, &refusal);
		break;
	}
}

/* A free slot that it was told of and has no use for is for the next one. */
static void
take_turn(struct destination *d, struct delivery *delivery)
{
	bool woken = d->lane.woken;
	unsigned int before = d->lane.in_flight;

	d->lane.woken = false;
	serve(d, delivery);
	if (woken && d->lane.in_flight == before && !is_full(d) &&
	    d->lane.list != LANE_COMING)
		scheduler_slot_free(d->kind);
}

/* Most of the places are free again, and the wake index holds more. */
static bool
wants_more(bool local)
{
	return *more_of(local) && active(local) < SCHEDULER_ACTIVE / 4;
}

void
scheduler_dispatch(void)
{
	static struct delivery delivery;
	struct destination *d;
	unsigned int turns = 0;

	if (wants_more(true) || wants_more(false))
		scheduler_wake();
	if (state.paused || scheduler_list_first(LANE_READY) == NULL)
		return;
	if (store_read_begin(state.lifecycle->store) == -1) {
		log_error("store-read-failed error=\"%s\"", strerror(errno));
		return;
	}
	while (turns++ < TURN_DELIVERIES && !commit_is_full() &&
	       (d = scheduler_list_first(LANE_READY)) != NULL)
		take_turn(d, &delivery);
	store_read_end(state.lifecycle->store);
	if (scheduler_list_first(LANE_READY) != NULL)
		turn_soon();
}

/* -- What comes back ------------------------------------------------------ */

static void
adapt_window(struct destination *d, const struct lifecycle_report *report)
{
	if (report->outcome != REPORT_DEFERRED ||
	    report->scope != REPORT_SCOPE_DESTINATION) {
		share_answered(d, report->outcome == REPORT_DELIVERED);
		return;
	}
	share_failed(d);
	d->lane.in_doubt = true;
	collect_sweep(d);
}

void
scheduler_report(struct flight *f, const struct lifecycle_report *report)
{
	adapt_window(f->destination, report);
	losses_forget(f->id, f->number);
	if (commit_report(f, report) == 0)
		return;
	/* No memory to note it: it is due again, and may come twice. */
	log_error("report-not-noted id=%s number=%" PRIu32,
	    id_format(f->id).text, f->number);
	f->destination->lane.in_doubt = false;
	scheduler_lost(f);
}

void
scheduler_landed(struct flight *f)
{
	struct destination *d = f->destination;
	uint64_t id = f->id;

	flight_free(&f);
	d->lane.in_doubt = false;
	if (!flight_exists_any(id))
		content_cache_drop(id);
	consider(d);
}

void
scheduler_lost(struct flight *f)
{
	static const struct lifecycle_report died = {
		.outcome = REPORT_DEFERRED,
		.scope = REPORT_SCOPE_MESSAGE,
		.host = "",
		.reply = "4.3.0 The delivery agent died",
		.unheard = true,
	};
	struct destination *d = f->destination;

	stats.agents_lost++;
	if (losses_add(f->id, f->number) >= LOSSES_MOST &&
	    commit_report(f, &died) == 0)
		return;
	flight_free(&f);
	memset(&d->lane.next, 0, sizeof(d->lane.next));
}

void
scheduler_delivery_end(struct destination *d, bool agent_lost)
{
	share_give_back(d);
	if (agent_lost && !must_wait(d))
		d->lane.not_before = monotime_add_ms(monotime_now(),
		    share_is_local(d) ? LOST_LOCAL_MS : LOST_REMOTE_MS);
	if (d->lane.list == LANE_NONE || scheduler_list_is_idle(d))
		be_ready(d);
	scheduler_slot_free(d->kind);
}

void
scheduler_agent_ready(enum route_kind kind, const char *name)
{
	struct destination *d, *following;

	for (d = scheduler_list_first(LANE_COMING); d != NULL; d = following) {
		following = TAILQ_NEXT(d, in_list);
		if ((d->kind == ROUTE_MAILBOX) != (kind == ROUTE_MAILBOX) ||
		    (name != NULL && strcmp(d->name, name) != 0))
			continue;
		be_ready(d);
		if (name != NULL)
			break;
	}
}

static void
wake_first(enum lane_list list)
{
	struct destination *d = scheduler_list_first(list);

	if (d == NULL)
		return;
	d->lane.woken = true;
	be_ready(d);
}

/* One of each standing: which of them may have it is seen in their turn. */
void
scheduler_slot_free(enum route_kind kind)
{
	if (kind == ROUTE_MAILBOX) {
		wake_first(LANE_FULL_LOCAL);
		return;
	}
	wake_first(LANE_FULL_SOUND);
	wake_first(LANE_FULL_UNTRIED);
	wake_first(LANE_FULL_DOUBTFUL);
}

void
scheduler_pause(bool paused)
{
	state.paused = paused;
	if (!paused)
		turn_soon();
}

/* -- Time ----------------------------------------------------------------- */

static void
on_later(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval period = { 0,
		(suseconds_t)LATER_MS * 1000 };
	struct destination *d, *following;

	(void)fd;
	(void)what;
	(void)context;
	for (d = scheduler_list_first(LANE_LATER); d != NULL; d = following) {
		following = TAILQ_NEXT(d, in_list);
		if (must_wait(d) || !has_come(d->lane.next_due))
			continue;
		be_ready(d);
	}
	if (scheduler_list_first(LANE_LATER) != NULL)
		evtimer_add(state.later_timer, &period);
}

/* Is there a place for it? One that is not in memory is not sound. */
static bool
may_take_up(const char *name)
{
	bool local = destination_kind(name) == ROUTE_MAILBOX;

	if (active(local) < SCHEDULER_ACTIVE)
		return true;
	*more_of(local) = true;
	return false;
}

/* Takes up one destination from the wake index. False if it does not fit. */
static bool
wake_one(const char *name)
{
	struct destinations *all = state.lifecycle->destinations;
	struct destination *d = destination_find(all, name);

	if (d != NULL && !scheduler_list_is_idle(d))
		return true;
	if (!may_take_up(name))
		return false;
	if (d == NULL)
		d = destination_open(all, state.lifecycle->store, name);
	if (d == NULL) {
		log_error("destination-unreadable destination=%s error=\"%s\"",
		    log_text(name), strerror(errno));
		return errno != ENOMEM;
	}
	if (has_place(d)) {
		be_ready(d);
		return true;
	}
	*more_of(share_is_local(d)) = true;
	if (d->lane.list == LANE_NONE)
		destination_close(all, &d);
	return false;
}

/* Takes up what has come from this time on, and says when the next comes. */
static void
scan_wake(uint64_t from)
{
	struct row_key start = row_key_wake(from, "");
	struct store *store = state.lifecycle->store;
	struct bytes key, value;
	char name[LIMIT_DESTINATION + 1];
	unsigned int past = 0;
	uint64_t time;
	int found = store_seek(store, STORE_WAKE, &start, &key, &value);

	for (; found == 0 && past < WAKE_PAST;
	     found = store_next(store, STORE_WAKE, &key, &value)) {
		if (row_key_wake_read(key.data, key.length, &time, name) ==
		    -1) {
			log_error("wake-damaged");
			continue;
		}
		if (!has_come(time)) {
			set_wake_timer(time);
			return;
		}
		if (!wake_one(name))
			past++;
		/* Mending a damaged destination moves the cursor. */
		start = row_key_wake(time, name);
		if (store_seek(store, STORE_WAKE, &start, &key, &value) == -1)
			return;
	}
}

/* The end of the index too: what lies there was written before the clock was
 * set back. */
static void
scan_wake_both_ends(void)
{
	scan_wake(0);
	scan_wake(clock_seconds() + retry_longest(&state.lifecycle->retry) + 1);
}

void
scheduler_wake(void)
{
	state.wake_at = 0;
	state.more_local = state.more_remote = false;
	if (store_read_begin(state.lifecycle->store) == -1) {
		log_error("store-read-failed error=\"%s\"", strerror(errno));
		set_wake_timer(clock_seconds() + 1);
		return;
	}
	scan_wake_both_ends();
	store_read_end(state.lifecycle->store);
}

static void
on_wake(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	scheduler_wake();
}

int
scheduler_start(struct event_base *base, struct lifecycle *lifecycle,
    const struct delivery_agents *agents)
{
	memset(&state, 0, sizeof(state));
	scheduler_lists_begin();
	share_begin();
	collect_begin(lifecycle);
	state.lifecycle = lifecycle;
	state.agents = agents;
	if (base == NULL)
		return 0;
	state.wake_timer = evtimer_new(base, on_wake, NULL);
	state.later_timer = evtimer_new(base, on_later, NULL);
	if (state.wake_timer != NULL && state.later_timer != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}

void
scheduler_stop(void)
{
	if (state.wake_timer != NULL)
		event_free(state.wake_timer);
	if (state.later_timer != NULL)
		event_free(state.later_timer);
	state.wake_timer = state.later_timer = NULL;
}
