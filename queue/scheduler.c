#include "queue/scheduler.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

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
#include "queue/pause.h"
#include "queue/scheduler_lane.h"
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

/* After a lack of something that passes. */
#define LACK_MS 1000

/* Work of one turn, so that the links are read in between; when the store has
 * to be read from the disk, it is the time that counts. */
#define TURN_DELIVERIES 512
#define TURN_MS 15
/* While there is fresh mail, every fourth turn is for the old. */
#define TURNS_OLD 4

static struct {
	struct lifecycle *lifecycle;
	const struct delivery_agents *agents;
	bool paused;
} state;

unsigned int
scheduler_in_flight(enum route_kind kind)
{
	return share_in_flight(kind);
}

unsigned int
scheduler_active(void)
{
	return lane_active(true) + lane_active(false);
}

void
scheduler_committed(void)
{
	struct destinations *all = state.lifecycle->destinations;
	struct destination *d;

	while ((d = TAILQ_FIRST(&all->changed)) != NULL) {
		TAILQ_REMOVE(&all->changed, d, in_changed);
		d->changed = false;
		lane_consider(d);
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
		lane_be_later(d, d->lane.next_due);
	else
		lane_be_quiet(d);
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
			lane_be_later(d, 0);
		else if (refusal->outcome == REPORT_DEFERRED)
			scheduler_list_set(d, LANE_NONE);
		else
			lane_be_ready(d);
		return;
	}
	if (!share_has_room_for(d, delivery->message.size)) {
		collect_give_back(delivery);
		lane_be_later(d, 0);
		return;
	}
	if (collect_content(delivery) == -1) {
		lane_be_ready(d); /* for the next message */
		return;
	}
	share_take(d, delivery->message.size);
	if (state.agents->deliver(delivery) == -1) {
		share_give_back(d, delivery->message.size);
		collect_give_back(delivery);
		lane_be_later(d, 0);
		return;
	}
	lane_be_ready(d); /* to its end */
}

static void
sweep(struct destination *d)
{
	if (d->lane.sweeping && collect_sweep_step(d))
		scheduler_list_set(d, LANE_NONE); /* until the commit */
	else if (d->lane.sweeping)
		lane_be_ready(d); /* its next turn */
	else
		lane_be_quiet(d);
}

/* One turn of one destination. */
static void
serve(struct destination *d, struct delivery *delivery)
{
	struct lifecycle_report refusal;
	enum agent_state agent;

	if (pause_kind(d->name) != PAUSE_NONE) {
		lane_be_quiet(d); /* until scheduler_resume() */
		return;
	}
	if (lane_must_wait(d)) {
		lane_be_later(d, 0);
		return;
	}
	if (lane_is_backing_off(d)) {
		sweep(d);
		return;
	}
	if (d->lane.in_doubt || d->lane.in_flight >= share_window(d)) {
		lane_be_quiet(d);
		return;
	}
	if (!share_is_left(d)) {
		if (d->lane.in_flight > 0)
			lane_be_quiet(d);
		else
			lane_be_full(d);
		return;
	}
	agent = state.agents->ready(d, &refusal);
	switch (agent) {
	case AGENT_COMING:
		scheduler_list_set(d, LANE_COMING);
		break;
	case AGENT_FULL:
		lane_be_full(d);
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
	if (woken && d->lane.in_flight == before && !lane_is_full(d) &&
	    d->lane.list != LANE_COMING)
		scheduler_slot_free(d->kind);
}

/* Who is next? Fresh mail goes first, but not for ever. */
static struct destination *
next_in_turn(unsigned int turn)
{
	struct destination *old = scheduler_list_first(LANE_READY);
	struct destination *fresh = scheduler_list_first(LANE_READY_FRESH);

	if (old == NULL || (fresh != NULL && turn % TURNS_OLD != 0))
		return fresh;
	return old;
}

static bool
is_anyone_ready(void)
{
	return scheduler_list_first(LANE_READY) != NULL ||
	       scheduler_list_first(LANE_READY_FRESH) != NULL;
}

/* Nothing else might happen: one of them waits a little, and then has a turn
 * for all. */
static void
look_again(void)
{
	struct destination *d = next_in_turn(0);

	d->lane.not_before = monotime_add_ms(monotime_now(), LACK_MS);
	lane_be_later(d, 0);
}

void
scheduler_dispatch(void)
{
	static struct delivery delivery;
	struct destination *d;
	struct monotime end;
	unsigned int turns = 0;

	lane_refill();
	if (state.paused || pause_is_set("") || !is_anyone_ready())
		return;
	if (store_read_begin(state.lifecycle->store) == -1) {
		log_error("store-read-failed error=\"%s\"", strerror(errno));
		look_again();
		return;
	}
	end = monotime_add_ms(monotime_now(), TURN_MS);
	while (turns++ < TURN_DELIVERIES && !commit_is_full() &&
	       (d = next_in_turn(turns)) != NULL) {
		take_turn(d, &delivery);
		if (!monotime_is_before(monotime_now(), end))
			break;
	}
	store_read_end(state.lifecycle->store);
	if (is_anyone_ready())
		turn_soon();
}

/* -- What comes back ------------------------------------------------------ */

/* A host that takes other mail at this moment is not down, whatever it said
 * here: this message alone waits. */
static void
adapt_window(struct flight *f, struct lifecycle_report *report)
{
	struct destination *d = f->destination;

	if (report->outcome != REPORT_DEFERRED ||
	    report->scope != REPORT_SCOPE_DESTINATION)
		share_answered(d, report->outcome == REPORT_DELIVERED);
	else if (share_failed(d, f->id)) {
		d->lane.in_doubt = true;
		collect_sweep(d);
	} else
		report->scope = REPORT_SCOPE_MESSAGE;
}

void
scheduler_report(struct flight *f, const struct lifecycle_report *given)
{
	struct lifecycle_report report = *given;

	adapt_window(f, &report);
	losses_forget(f->id, f->number);
	if (commit_report(f, &report) == 0)
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
	lane_consider(d);
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
scheduler_delivery_end(struct destination *d, uint64_t size, bool agent_lost)
{
	share_give_back(d, size);
	if (agent_lost && !lane_must_wait(d))
		d->lane.not_before = monotime_add_ms(monotime_now(),
		    share_is_local(d) ? LOST_LOCAL_MS : LOST_REMOTE_MS);
	if (d->lane.list == LANE_NONE || scheduler_list_is_idle(d))
		lane_be_ready(d);
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
		lane_be_ready(d);
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
	lane_be_ready(d);
}

/* One of each standing: which of them may have it is seen in their turn. */
void
scheduler_slot_free(enum route_kind kind)
{
	if (kind == ROUTE_MAILBOX) {
		wake_first(LANE_FULL_LOCAL);
		wake_first(LANE_FULL_LOCAL_DOUBTFUL);
		return;
	}
	wake_first(LANE_FULL_FRESH_SOUND);
	wake_first(LANE_FULL_FRESH_UNTRIED);
	wake_first(LANE_FULL_SOUND);
	wake_first(LANE_FULL_UNTRIED);
	wake_first(LANE_FULL_DOUBTFUL);
}

void
scheduler_resume(void)
{
	lane_look();
	turn_soon();
}

void
scheduler_pause(bool paused)
{
	state.paused = paused;
	if (!paused)
		turn_soon();
}

/* -- Begin and end -------------------------------------------------------- */

void
scheduler_wake(void)
{
	lane_look();
}

int
scheduler_start(struct event_base *base, struct lifecycle *lifecycle,
    const struct delivery_agents *agents)
{
	memset(&state, 0, sizeof(state));
	share_begin();
	collect_begin(lifecycle);
	state.lifecycle = lifecycle;
	state.agents = agents;
	return lane_begin(base, lifecycle);
}

void
scheduler_stop(void)
{
	lane_end();
}
