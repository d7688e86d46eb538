#include "queue/scheduler_lane.h"

#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/monotime.h"
#include "queue/clock.h"
#include "queue/destination.h"
#include "queue/lifecycle.h"
#include "queue/pause.h"
#include "queue/scheduler.h"
#include "queue/scheduler_lists.h"
#include "queue/scheduler_share.h"
#include "queue/store.h"
#include "queue/turn.h"

/* Looks at destinations that wait for a time in memory. */
#define LATER_MS 100
/* Looks at the wake index at least so often: the clock may be set. */
#define WAKE_MOST_S 60
/* A look goes past all for which there is no place, since of the other kind
 * there may be, but past so many a turn; */
#define WAKE_PAST 8192
/* and takes up so many that have to be read from the store. The next turn goes
 * on. */
#define WAKE_READ 256
/* A look that went past very many is not begun again for a while only because
 * the time of one more has come. */
#define WAKE_REST_MS 10000

static struct {
	struct lifecycle *lifecycle;
	struct event *wake_timer;
	struct event *later_timer;
	uint64_t wake_at; /* what the timer is set to; 0 if it is not */
	bool more_local;  /* the wake index holds more than fits */
	bool more_remote;
	/* A look at the wake index goes on in the next turn when it has read
	 * as much as it may. */
	bool unfinished;
	bool at_end;	      /* it is in the second part */
	struct row_key place; /* and here */
	unsigned int past;    /* destinations without a place, in this turn */
	unsigned int read;    /* destinations, in this turn */
	bool long_one;	      /* many have none */
	bool again;	      /* there is to be another one soon */
	struct monotime rest; /* but not before */
} state;

unsigned int
lane_active(bool local)
{
	const struct destinations *all = state.lifecycle->destinations;
	unsigned int count = local ? all->local : all->count - all->local;

	return count - scheduler_list_idle(local);
}

static bool *
more_of(bool local)
{
	return local ? &state.more_local : &state.more_remote;
}

/* -- Lists ---------------------------------------------------------------- */

static void
look_at_later(void)
{
	static const struct timeval period = { 0,
		(suseconds_t)LATER_MS * 1000 };

	if (state.later_timer != NULL &&
	    !evtimer_pending(state.later_timer, NULL))
		evtimer_add(state.later_timer, &period);
}

void
lane_be_later(struct destination *d, uint64_t next_due)
{
	d->lane.next_due = next_due;
	scheduler_list_set(d, LANE_LATER);
	look_at_later();
}

static bool
is_busy(const struct destination *d)
{
	return d->changed || d->lane.flights + d->lane.in_flight > 0;
}

void
lane_be_quiet(struct destination *d)
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

void
lane_be_ready(struct destination *d)
{
	scheduler_list_set(
	    d, share_is_fresh(d) ? LANE_READY_FRESH : LANE_READY);
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
	delay = monotime_timeval((int64_t)wait);
	state.wake_at = at;
	evtimer_add(state.wake_timer, &delay);
}

static bool
has_come(uint64_t time)
{
	return retry_is_due(&state.lifecycle->retry, time, clock_seconds());
}

bool
lane_is_backing_off(const struct destination *d)
{
	return !has_come(d->row.backoff_until);
}

static bool
has_work(const struct destination *d)
{
	if (d->first_due == 0 || !has_come(d->first_due) ||
	    pause_kind(d->name) == PAUSE_DESTINATION)
		return false;
	return !lane_is_backing_off(d) || d->lane.sweeping;
}

/* May it wait in memory for its turn? Those that failed have half of the
 * places, so that they are not in the way of the others; a sound one is in
 * memory anyway. */
static bool
has_place(const struct destination *d)
{
	unsigned int count = lane_active(share_is_local(d));
	unsigned int most =
	    SCHEDULER_ACTIVE + (d->lane.has_fresh ? SCHEDULER_FRESH : 0);

	if (d->lane.flights > 0)
		return true;
	switch (share_standing(d)) {
	case SHARE_SOUND:
		return !share_is_local(d) || count <= most;
	case SHARE_UNTRIED:
		return count <= most;
	case SHARE_DOUBTFUL:
	case SHARE_STANDINGS:
		break;
	}
	return count <= SCHEDULER_ACTIVE / 2;
}

/* It has fresh mail now, and waits among those that have none. */
static bool
may_overtake(const struct destination *d)
{
	if (!d->lane.has_fresh)
		return false;
	return d->lane.list == LANE_READY || d->lane.list == LANE_FULL_SOUND ||
	       d->lane.list == LANE_FULL_UNTRIED;
}

/* Where it is, does it wait for what a change of its mail may bring? */
static bool
may_move(const struct destination *d)
{
	if (d->lane.list == LANE_NONE || scheduler_list_is_idle(d))
		return true;
	if (d->lane.list == LANE_LATER)
		return d->lane.next_due != 0;
	if (d->lane.asked_for && lane_is_full(d)) /* it stands better now */
		return true;
	return may_overtake(d);
}

void
lane_consider(struct destination *d)
{
	if (!may_move(d))
		return;
	if (!has_work(d))
		lane_be_quiet(d);
	else if (has_place(d))
		lane_be_ready(d);
	else {
		*more_of(share_is_local(d)) = true;
		lane_be_quiet(d);
	}
	if (!has_come(d->row.wake))
		set_wake_timer(d->row.wake);
}

void
lane_be_full(struct destination *d)
{
	static const enum lane_list lists[3][SHARE_STANDINGS] = {
		{
		    [SHARE_SOUND] = LANE_FULL_SOUND,
		    [SHARE_UNTRIED] = LANE_FULL_UNTRIED,
		    [SHARE_DOUBTFUL] = LANE_FULL_DOUBTFUL,
		},
		{
		    [SHARE_SOUND] = LANE_FULL_LOCAL,
		    [SHARE_UNTRIED] = LANE_FULL_LOCAL,
		    [SHARE_DOUBTFUL] = LANE_FULL_LOCAL_DOUBTFUL,
		},
		{
		    [SHARE_SOUND] = LANE_FULL_FRESH_SOUND,
		    [SHARE_UNTRIED] = LANE_FULL_FRESH_UNTRIED,
		    [SHARE_DOUBTFUL] = LANE_FULL_DOUBTFUL,
		},
	};
	unsigned int which =
	    share_is_local(d) ? 1 : (share_is_fresh(d) ? 2 : 0);

	scheduler_list_set(d, lists[which][share_standing(d)]);
}

bool
lane_is_full(const struct destination *d)
{
	return d->lane.list == LANE_FULL_LOCAL ||
	       d->lane.list == LANE_FULL_LOCAL_DOUBTFUL ||
	       d->lane.list == LANE_FULL_SOUND ||
	       d->lane.list == LANE_FULL_UNTRIED ||
	       d->lane.list == LANE_FULL_DOUBTFUL ||
	       d->lane.list == LANE_FULL_FRESH_SOUND ||
	       d->lane.list == LANE_FULL_FRESH_UNTRIED;
}

bool
lane_must_wait(const struct destination *d)
{
	return monotime_is_before(monotime_now(), d->lane.not_before);
}

/* -- Time ----------------------------------------------------------------- */

static void
on_later(evutil_socket_t fd, short what, void *context)
{
	struct destination *d, *following;

	(void)fd;
	(void)what;
	(void)context;
	for (d = scheduler_list_first(LANE_LATER); d != NULL; d = following) {
		following = TAILQ_NEXT(d, in_list);
		if (lane_must_wait(d) || !has_come(d->lane.next_due))
			continue;
		lane_be_ready(d);
	}
	if (scheduler_list_first(LANE_LATER) != NULL)
		look_at_later();
}

/* Is there a place for it? One that is not in memory is not sound. */
static bool
may_take_up(const char *name)
{
	bool local = destination_kind(name) == ROUTE_MAILBOX;

	if (lane_active(local) < SCHEDULER_ACTIVE)
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
	int error;

	if ((d != NULL && !scheduler_list_is_idle(d)) ||
	    pause_kind(name) == PAUSE_DESTINATION)
		return true;
	if (d == NULL && !may_take_up(name))
		return false;
	if (d == NULL) {
		d = destination_open(all, state.lifecycle->store, name);
		state.read++;
	}
	if (d == NULL) {
		error = errno;
		set_wake_timer(
		    clock_seconds() + (error == ENOMEM ? 1 : WAKE_MOST_S));
		log_error("destination-unreadable destination=%s error=\"%s\"",
		    log_text(name), strerror(error));
		return true;
	}
	if (has_place(d)) {
		lane_be_ready(d);
		return true;
	}
	*more_of(share_is_local(d)) = true;
	if (d->lane.list == LANE_NONE)
		destination_close(all, &d);
	return false;
}

/* Takes up what has come from the place on, and says when the next comes. */
static void
scan_wake(void)
{
	struct store *store = state.lifecycle->store;
	struct bytes key, value;
	char name[LIMIT_DESTINATION + 1];
	static bool told;
	unsigned int read;
	uint64_t time;
	int found = store_seek(store, STORE_WAKE, &state.place, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_WAKE, &key, &value)) {
		if (row_key_wake_read(key.data, key.length, &time, name) ==
		    -1) {
			if (!told)
				log_error("wake-damaged");
			told = true; /* it is met each time */
			continue;
		}
		if (!has_come(time)) {
			set_wake_timer(time);
			return;
		}
		state.place = row_key_wake(time, name);
		if (state.read >= WAKE_READ || state.past >= WAKE_PAST) {
			state.unfinished = true;
			state.long_one |= state.past >= WAKE_PAST;
			turn_soon();
			return;
		}
		read = state.read;
		if (!wake_one(name))
			state.past++;
		/* Mending a damaged destination moves the cursor. */
		if (state.read != read && store_seek(store, STORE_WAKE,
					      &state.place, &key, &value) == -1)
			return;
	}
}

/* The end of the index too: what lies there was written before the clock was
 * set back. */
static void
scan_wake_both_ends(void)
{
	scan_wake();
	if (state.unfinished || state.at_end)
		return;
	state.at_end = true;
	state.place = row_key_wake(
	    clock_seconds() + retry_longest(&state.lifecycle->retry) + 1, "");
	scan_wake();
}

/* Many wait without a place: to go past all of them again for each whose time
 * comes would be most of what we do. */
static void
end_look(void)
{
	if (state.long_one)
		state.rest = monotime_add_ms(monotime_now(), WAKE_REST_MS);
	if (state.again)
		set_wake_timer(clock_seconds() + 1);
	state.again = false;
}

static void
look_on(void)
{
	state.unfinished = false;
	state.read = state.past = 0;
	if (store_read_begin(state.lifecycle->store) == -1) {
		log_error("store-read-failed error=\"%s\"", strerror(errno));
		set_wake_timer(clock_seconds() + 1);
		return;
	}
	scan_wake_both_ends();
	store_read_end(state.lifecycle->store);
	if (!state.unfinished)
		end_look();
}

void
lane_look(void)
{
	state.wake_at = 0;
	state.more_local = state.more_remote = state.at_end = false;
	state.long_one = false;
	state.place = row_key_wake(0, "");
	look_on();
}

static void
rest_on(void)
{
	int64_t left = monotime_ms_between(monotime_now(), state.rest);
	struct timeval delay = monotime_timeval(left > 0 ? left : 0);

	state.wake_at = 1; /* no time is before that */
	evtimer_add(state.wake_timer, &delay);
}

static void
on_wake(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	state.wake_at = 0;
	if (state.unfinished)
		state.again = true; /* when this one is at its end */
	else if (monotime_is_before(monotime_now(), state.rest))
		rest_on();
	else
		lane_look();
}

/* Most of the places are free again, and the wake index holds more. */
static bool
wants_more(bool local)
{
	return *more_of(local) && lane_active(local) < SCHEDULER_ACTIVE / 4;
}

void
lane_refill(void)
{
	if (state.unfinished)
		look_on();
	else if (wants_more(true) || wants_more(false))
		lane_look();
}

int
lane_begin(struct event_base *base, struct lifecycle *lifecycle)
{
	memset(&state, 0, sizeof(state));
	scheduler_lists_begin();
	state.lifecycle = lifecycle;
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
lane_end(void)
{
	if (state.wake_timer != NULL)
		event_free(state.wake_timer);
	if (state.later_timer != NULL)
		event_free(state.later_timer);
	state.wake_timer = state.later_timer = NULL;
}
