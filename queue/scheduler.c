#include "queue/scheduler.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <event2/event.h>

#include "common/id.h"
#include "common/log.h"
#include "common/monotime.h"
#include "queue/clock.h"
#include "queue/commit.h"
#include "queue/content_cache.h"
#include "queue/delivery.h"
#include "queue/destination.h"
#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/losses.h"
#include "queue/scheduler_lists.h"
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

static struct {
	struct lifecycle *lifecycle;
	const struct delivery_agents *agents;
	struct event *wake_timer;
	struct event *later_timer;
	uint64_t wake_at; /* what the timer is set to; 0 if it is not */
	bool more;	  /* the wake index holds more than fits */
	bool paused;
	unsigned int local; /* deliveries in flight */
	unsigned int remote;
	unsigned int busy_local; /* destinations that have any */
	unsigned int busy_remote;
} state;

/* -- Windows and shares --------------------------------------------------- */

static bool
is_local(const struct destination *d)
{
	return d->kind == ROUTE_MAILBOX;
}

static unsigned int
window_most(const struct destination *d)
{
	return is_local(d) ? SCHEDULER_WINDOW_LOCAL : SCHEDULER_WINDOW_MOST;
}

static unsigned int
window_of(struct destination *d)
{
	if (d->lane.window == 0)
		d->lane.window = is_local(d) ? SCHEDULER_WINDOW_LOCAL
					     : SCHEDULER_WINDOW_FIRST;
	/* A host that was down is asked with one delivery first. */
	return d->row.failures > 0 ? 1 : d->lane.window;
}

/* May this destination have one more delivery, as far as all the others are
 * concerned? */
static bool
has_share(const struct destination *d)
{
	unsigned int total = is_local(d) ? state.local : state.remote;
	unsigned int busy = is_local(d) ? state.busy_local : state.busy_remote;
	unsigned int most = is_local(d) ? SCHEDULER_LOCAL : SCHEDULER_REMOTE;

	if (d->lane.in_flight == 0)
		return total < 2 * most;
	if (total >= most)
		return false;
	return d->lane.in_flight < most / busy;
}

static void
count_delivery(struct destination *d)
{
	if (d->lane.in_flight++ == 0)
		++*(is_local(d) ? &state.busy_local : &state.busy_remote);
	++*(is_local(d) ? &state.local : &state.remote);
}

static void
uncount_delivery(struct destination *d)
{
	if (--d->lane.in_flight == 0)
		--*(is_local(d) ? &state.busy_local : &state.busy_remote);
	--*(is_local(d) ? &state.local : &state.remote);
}

unsigned int
scheduler_in_flight(enum route_kind kind)
{
	return kind == ROUTE_MAILBOX ? state.local : state.remote;
}

unsigned int
scheduler_active(void)
{
	return state.lifecycle->destinations->count -
	       scheduler_list_count(LANE_IDLE);
}

/* -- Lists ---------------------------------------------------------------- */

/* Until `next_due`, wall time, or if that is 0 until `lane.not_before`. */
static void
be_later(struct destination *d, uint64_t next_due)
{
	static const struct timeval period = { 0, LATER_MS * 1000 };

	d->lane.next_due = next_due;
	scheduler_list_set(d, LANE_LATER);
	if (state.later_timer != NULL &&
	    !evtimer_pending(state.later_timer, NULL))
		evtimer_add(state.later_timer, &period);
}

/* Nothing to hand out: busy with what is in flight, or idle. */
static void
be_quiet(struct destination *d)
{
	struct destinations *all = state.lifecycle->destinations;
	bool busy = d->lane.flights > 0 || d->lane.in_flight > 0 || d->changed;
	struct destination *old;

	scheduler_list_set(d, busy ? LANE_NONE : LANE_IDLE);
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
	if (wait > WAKE_MOST_S * 1000)
		wait = WAKE_MOST_S * 1000;
	delay.tv_sec = (time_t)(wait / 1000);
	delay.tv_usec = (suseconds_t)(wait % 1000 * 1000);
	state.wake_at = at;
	evtimer_add(state.wake_timer, &delay);
}

/* Its stored part has changed: has it mail that is due? */
static void
consider(struct destination *d)
{
	uint64_t now = clock_seconds();

	if (d->lane.list != LANE_NONE && d->lane.list != LANE_IDLE &&
	    (d->lane.list != LANE_LATER || d->lane.next_due == 0))
		return;
	if (d->first_due == 0 || d->first_due > now ||
	    d->row.backoff_until > now)
		be_quiet(d);
	else if (scheduler_active() <= SCHEDULER_ACTIVE || d->lane.flights > 0)
		be_ready(d);
	else {
		state.more = true;
		be_quiet(d);
	}
	if (d->row.wake > now)
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

/* -- Collecting a delivery ------------------------------------------------ */

/* What cannot be read is not handed out, now or ever; the flight keeps it from
 * being found again before that is committed. */
static int
set_aside(
    struct destination *d, const struct row_place *place, const char *reason)
{
	struct flight *f = flight_new(place->id, place->number, d);

	log_error("row-damaged id=%s number=%" PRIu32
		  " destination=%s reason=\"%s\"",
	    id_format(place->id).text, place->number, log_text(d->name),
	    reason);
	if (f != NULL && commit_set_aside(f, place, reason) == 0)
		return 0;
	flight_free(&f);
	return -1;
}

static int
read_recipient(const struct row_place *place, struct row_recipient *row)
{
	struct row_key key = row_key_number(place->id, place->number);
	struct bytes value;

	if (store_get(state.lifecycle->store, STORE_RECIPIENT, &key, &value) ==
	    -1)
		return -1;
	return row_recipient_decode(row, value.data, value.length);
}

static int
read_message(uint64_t id, struct row_message *row)
{
	struct row_key key = row_key_id(id);
	struct bytes value;

	if (store_get(state.lifecycle->store, STORE_MESSAGE, &key, &value) ==
	    -1)
		return -1;
	return row_message_decode(row, value.data, value.length);
}

/* Adds a due recipient to the delivery, or sets it aside. -1: no memory. */
static int
add_recipient(struct delivery *delivery, const struct row_place *place)
{
	struct destination *d = delivery->destination;
	struct row_recipient *row = &delivery->recipients[delivery->count];
	struct flight *f;

	if (delivery->count == 0 &&
	    read_message(place->id, &delivery->message) == -1)
		return set_aside(d, place, "the message's row is damaged");
	if (read_recipient(place, row) == -1 ||
	    row->state != RECIPIENT_WAITING ||
	    strcmp(row->destination, d->name) != 0)
		return set_aside(d, place, "the recipient's row is damaged");
	f = flight_new(place->id, place->number, d);
	if (f == NULL)
		return -1;
	delivery->id = place->id;
	delivery->flights[delivery->count++] = f;
	return 0;
}

/* The next place in the due index of a destination that is not in flight. */
static bool
next_place(struct destination *d, uint64_t now, struct row_place *place)
{
	struct store *store = state.lifecycle->store;
	struct row_key from = row_key_due(d->name, &d->lane.next);
	struct bytes key, value;
	const char *name;
	int found = store_seek(store, STORE_DUE, &from, &key, &value);

	d->lane.next_due = 0;
	for (; found == 0; found = store_next(store, STORE_DUE, &key, &value)) {
		if (row_key_due_read(key.data, key.length, &name, place) ==
			-1 ||
		    strcmp(name, d->name) != 0)
			return false;
		if (place->time > now) {
			d->lane.next_due = place->time;
			return false;
		}
		if (!flight_exists(place->id, place->number))
			return true;
	}
	return false;
}

/* Fills the delivery with recipients of one message. The place from which the
 * next search starts moves past what was taken. */
static void
collect(struct delivery *delivery)
{
	struct destination *d = delivery->destination;
	unsigned int most = is_local(d) ? 1 : DELIVERY_RECIPIENTS;
	uint64_t now = clock_seconds();
	struct row_place place;

	delivery->count = 0;
	while (delivery->count < most && next_place(d, now, &place)) {
		if (delivery->count > 0 && place.id != delivery->id)
			break;
		if (add_recipient(delivery, &place) == -1) {
			d->lane.next_due = now + 1;
			break;
		}
		d->lane.next = place;
		if (d->lane.next.number < UINT32_MAX)
			d->lane.next.number++;
	}
}

static void
give_back(struct delivery *delivery)
{
	struct destination *d = delivery->destination;

	for (unsigned int i = 0; i < delivery->count; i++)
		flight_free(&delivery->flights[i]);
	memset(&d->lane.next, 0, sizeof(d->lane.next));
	d->lane.not_before = monotime_add_ms(monotime_now(), LOST_LOCAL_MS);
}

/* -1: the content could not be had. What is damaged is set aside; a lack, of
 * memory or descriptors, passes. */
static int
open_content(struct delivery *delivery)
{
	struct destination *d = delivery->destination;
	int error;

	delivery->fd = content_cache_open(
	    state.lifecycle->store, delivery->id, delivery->message.size);
	if (delivery->fd != -1)
		return 0;
	error = errno;
	log_error("content-unreadable id=%s error=\"%s\"",
	    id_format(delivery->id).text, strerror(error));
	if (error != EBADMSG) {
		give_back(delivery);
		return -1;
	}
	for (unsigned int i = 0; i < delivery->count; i++) {
		struct row_place place = { delivery->recipients[i].due,
			delivery->id, delivery->flights[i]->number };

		flight_free(&delivery->flights[i]);
		set_aside(d, &place, "the content in the store is damaged");
	}
	return -1;
}

/* -- Handing out ---------------------------------------------------------- */

/* There will be no agent. A final refusal is each recipient's; a temporary one
 * is the destination's, which one report says for all. */
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
	collect(delivery);
	if (delivery->count == 0) {
		be_later_or_quiet(d);
		return;
	}
	if (agent == AGENT_REFUSED) {
		report_refusal(delivery, refusal);
		if (refusal->outcome == REPORT_DEFERRED)
			scheduler_list_set(d, LANE_NONE);
		else
			scheduler_list_set(d, LANE_READY);
		return;
	}
	if (open_content(delivery) == -1) {
		scheduler_list_set(d, LANE_READY); /* for the next message */
		return;
	}
	count_delivery(d);
	if (state.agents->deliver(delivery) == -1) {
		uncount_delivery(d);
		give_back(delivery);
		be_later(d, 0);
		return;
	}
	scheduler_list_set(d, LANE_READY); /* to its end */
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
	if (d->lane.in_doubt || d->row.backoff_until > clock_seconds() ||
	    d->lane.in_flight >= window_of(d)) {
		be_quiet(d);
		return;
	}
	if (!has_share(d)) {
		if (d->lane.in_flight > 0)
			be_quiet(d);
		else
			scheduler_list_set(d,
			    is_local(d) ? LANE_FULL_LOCAL : LANE_FULL_REMOTE);
		return;
	}
	agent = state.agents->ready(d, &refusal);
	switch (agent) {
	case AGENT_COMING:
		scheduler_list_set(d, LANE_COMING);
		break;
	case AGENT_FULL:
		scheduler_list_set(
		    d, is_local(d) ? LANE_FULL_LOCAL : LANE_FULL_REMOTE);
		break;
	case AGENT_READY:
	case AGENT_REFUSED:
		hand_out(d, delivery, agent, &refusal);
		break;
	}
}

void
scheduler_dispatch(void)
{
	static struct delivery delivery;
	struct destination *d;
	unsigned int turns = 0;

	if (state.more && scheduler_active() < SCHEDULER_ACTIVE / 2)
		scheduler_wake();
	if (state.paused || scheduler_list_first(LANE_READY) == NULL)
		return;
	if (store_read_begin(state.lifecycle->store) == -1) {
		log_error("store-read-failed error=\"%s\"", strerror(errno));
		return;
	}
	while (turns++ < TURN_DELIVERIES &&
	       (d = scheduler_list_first(LANE_READY)) != NULL)
		serve(d, &delivery);
	store_read_end(state.lifecycle->store);
	if (scheduler_list_first(LANE_READY) != NULL)
		turn_soon();
}

/* -- What comes back ------------------------------------------------------ */

static void
adapt_window(struct destination *d, const struct lifecycle_report *report)
{
	unsigned int window = window_of(d);

	if (report->outcome == REPORT_DELIVERED && window < window_most(d))
		d->lane.window++;
	else if (report->outcome == REPORT_DEFERRED &&
		 report->scope == REPORT_SCOPE_DESTINATION) {
		d->lane.window = window > 1 ? window / 2 : 1;
		d->lane.in_doubt = true;
	}
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
	uncount_delivery(d);
	if (agent_lost && !must_wait(d))
		d->lane.not_before = monotime_add_ms(monotime_now(),
		    is_local(d) ? LOST_LOCAL_MS : LOST_REMOTE_MS);
	if (d->lane.list == LANE_NONE || d->lane.list == LANE_IDLE)
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

void
scheduler_slot_free(enum route_kind kind)
{
	struct destination *d = scheduler_list_first(
	    kind == ROUTE_MAILBOX ? LANE_FULL_LOCAL : LANE_FULL_REMOTE);

	if (d != NULL)
		be_ready(d);
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
	static const struct timeval period = { 0, LATER_MS * 1000 };
	struct destination *d, *following;
	uint64_t now = clock_seconds();

	(void)fd;
	(void)what;
	(void)context;
	for (d = scheduler_list_first(LANE_LATER); d != NULL; d = following) {
		following = TAILQ_NEXT(d, in_list);
		if (must_wait(d) || d->lane.next_due > now)
			continue;
		be_ready(d);
	}
	if (scheduler_list_first(LANE_LATER) != NULL)
		evtimer_add(state.later_timer, &period);
}

/* Takes up one destination from the wake index. False if no more fit. */
static bool
wake_one(const char *name)
{
	struct destinations *all = state.lifecycle->destinations;
	struct destination *d = destination_find(all, name);

	if (d != NULL && d->lane.list != LANE_IDLE)
		return true;
	if (scheduler_active() >= SCHEDULER_ACTIVE) {
		state.more = true;
		return false;
	}
	if (d == NULL)
		d = destination_open(all, state.lifecycle->store, name);
	if (d == NULL) {
		log_error("destination-unreadable destination=%s error=\"%s\"",
		    log_text(name), strerror(errno));
		return errno != ENOMEM;
	}
	be_ready(d);
	return true;
}

static void
scan_wake(void)
{
	struct row_key start = { .length = 1 };
	uint64_t now = clock_seconds(), time;
	struct store *store = state.lifecycle->store;
	struct bytes key, value;
	char name[LIMIT_DESTINATION + 1];
	int found = store_seek(store, STORE_WAKE, &start, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_WAKE, &key, &value)) {
		if (row_key_wake_read(key.data, key.length, &time, name) ==
		    -1) {
			log_error("wake-damaged");
			continue;
		}
		if (time > now) {
			set_wake_timer(time);
			return;
		}
		if (!wake_one(name))
			return;
	}
}

void
scheduler_wake(void)
{
	state.wake_at = 0;
	state.more = false;
	if (store_read_begin(state.lifecycle->store) == -1) {
		log_error("store-read-failed error=\"%s\"", strerror(errno));
		set_wake_timer(clock_seconds() + 1);
		return;
	}
	scan_wake();
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
