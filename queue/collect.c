#include "queue/collect.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/id.h"
#include "common/log.h"
#include "queue/clock.h"
#include "queue/commit.h"
#include "queue/content_cache.h"
#include "queue/delivery.h"
#include "queue/destination.h"
#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/scheduler_share.h"
#include "queue/store.h"
#include "queue/tell.h"

/* After a lack of something that passes. */
#define LACK_MS 1000
/* Damaged rows that one look sets aside, each by an operation of the commit;
 * the look after that goes on. */
#define SET_ASIDE_MOST 20
/* One step of a sweep: rows looked at, and recipients that expire or whose
 * senders are warned. A turn may have some hundred steps; this many rows cost
 * about what a delivery does. */
#define SWEEP_LOOK 100
#define SWEEP_DEFER 20

static struct lifecycle *lifecycle;

void
collect_begin(struct lifecycle *the_lifecycle)
{
	lifecycle = the_lifecycle;
}

/* -- Rows ----------------------------------------------------------------- */

/* The flight keeps it from being found again before this is committed. */
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

/* Only what is missing or wrong is damage; all else may pass. */
static int
set_aside_damage(
    struct destination *d, const struct row_place *place, const char *reason)
{
	if (errno == ENOENT || errno == EBADMSG)
		return set_aside(d, place, reason);
	log_error("store-read-failed error=\"%s\"", strerror(errno));
	return -1;
}

static int
read_message(uint64_t id, struct row_message *row)
{
	struct row_key key = row_key_id(id);
	struct bytes value;

	if (store_get(lifecycle->store, STORE_MESSAGE, &key, &value) == -1)
		return -1;
	return row_message_decode(row, value.data, value.length);
}

/* ENOMSG: the row is whole, and says that it is due elsewhere or at another
 * time, or not at all. */
static int
read_recipient(const struct destination *d, const struct row_place *place,
    struct row_recipient *row)
{
	struct row_key key = row_key_number(place->id, place->number);
	struct bytes value;

	if (store_get(lifecycle->store, STORE_RECIPIENT, &key, &value) == -1 ||
	    row_recipient_decode(row, value.data, value.length) == -1)
		return -1;
	if (row->state == RECIPIENT_WAITING && row->due == place->time &&
	    strcmp(row->destination, d->name) == 0)
		return 0;
	errno = ENOMSG;
	return -1;
}

/* Adds a due recipient to the delivery, or sets it aside. -1: not now. */
static int
add_recipient(struct delivery *delivery, const struct row_place *place)
{
	struct destination *d = delivery->destination;
	struct row_recipient *row = &delivery->recipients[delivery->count];
	struct flight *f;

	if (delivery->count == 0 &&
	    read_message(place->id, &delivery->message) == -1)
		return set_aside_damage(
		    d, place, "the message's row is damaged");
	if (read_recipient(d, place, row) == -1)
		return errno == ENOMSG
			   ? set_aside(d, place, "it is not due here and now")
			   : set_aside_damage(
				 d, place, "the recipient's row is damaged");
	f = flight_new(place->id, place->number, d);
	if (f == NULL)
		return -1;
	delivery->id = place->id;
	delivery->flights[delivery->count++] = f;
	return 0;
}

/* -- The due index -------------------------------------------------------- */

enum due {
	DUE_HERE,    /* of this destination */
	DUE_BEYOND,  /* of the next one */
	DUE_DAMAGED, /* of nobody: to be passed over */
};

/* Whose is this row of the due index? */
static enum due
read_due(const struct destination *d, struct bytes key, struct row_place *place)
{
	static bool told;
	const char *name;

	if (row_key_due_read(key.data, key.length, &name, place) == 0)
		return strcmp(name, d->name) == 0 ? DUE_HERE : DUE_BEYOND;
	if (!told)
		log_error("due-damaged destination=%s", log_text(d->name));
	told = true; /* it is met each time */
	return DUE_DAMAGED;
}

/* The next place of a destination, from this one on, that has come and is not
 * in flight. */
static bool
next_place(struct destination *d, const struct row_place *from, uint64_t now,
    struct row_place *place)
{
	struct store *store = lifecycle->store;
	struct row_key start = row_key_due(d->name, from);
	struct bytes key, value;
	int found = store_seek(store, STORE_DUE, &start, &key, &value);

	d->lane.next_due = 0;
	for (; found == 0; found = store_next(store, STORE_DUE, &key, &value)) {
		enum due due = read_due(d, key, place);

		if (due == DUE_DAMAGED)
			continue;
		if (due == DUE_BEYOND)
			return false;
		if (!retry_is_due(&lifecycle->retry, place->time, now)) {
			d->lane.next_due = place->time;
			return false;
		}
		if (!flight_exists(place->id, place->number))
			return true;
	}
	return false;
}

/* Goes on from this place, and leaves it behind what was collected. */
static void
collect_from(struct delivery *delivery, struct row_place *from)
{
	struct destination *d = delivery->destination;
	unsigned int most = share_is_local(d) ? 1 : DELIVERY_RECIPIENTS;
	unsigned int damaged = 0, before;
	uint64_t now = clock_seconds();
	struct row_place place;

	while (delivery->count < most && damaged < SET_ASIDE_MOST &&
	       next_place(d, from, now, &place)) {
		if (delivery->count > 0 && place.id != delivery->id)
			break;
		before = delivery->count;
		if (add_recipient(delivery, &place) == -1) {
			d->lane.next_due = now + 1;
			break;
		}
		damaged += delivery->count == before;
		*from = place;
		if (from->number < UINT32_MAX)
			from->number++;
	}
}

/* The index is in the order of time, and so the oldest comes first. What is
 * fresh takes turns with it: it goes at once, and the old goes on. */
static void
collect_in_turn(struct delivery *delivery)
{
	struct lane *lane = &delivery->destination->lane;

	delivery->count = 0;
	if (lane->has_fresh && row_place_compare(&lane->fresh, &lane->next) < 0)
		lane->has_fresh = false; /* it has been reached */
	if (lane->has_fresh && !lane->is_old_turn) {
		collect_from(delivery, &lane->fresh);
		lane->is_old_turn = true;
		if (delivery->count > 0)
			return;
		lane->has_fresh = false;
	}
	lane->is_old_turn = false;
	collect_from(delivery, &lane->next);
	if (delivery->count == 0)
		lane->has_fresh = false; /* nothing is due, fresh or old */
}

static bool
is_fresh(const struct delivery *delivery)
{
	return delivery->count > 0 && delivery->recipients[0].attempts == 0 &&
	       id_time(delivery->id) + DESTINATION_FRESH_S >= clock_seconds();
}

void
collect_recipients(struct delivery *delivery)
{
	collect_in_turn(delivery);
	delivery->fresh = is_fresh(delivery);
	delivery->destination->lane.gave_fresh = delivery->fresh;
}

/* And look from the beginning then. */
static void
wait_a_little(struct destination *d)
{
	memset(&d->lane.next, 0, sizeof(d->lane.next));
	d->lane.not_before = monotime_add_ms(monotime_now(), LACK_MS);
}

void
collect_give_back(struct delivery *delivery)
{
	struct destination *d = delivery->destination;

	if (d->lane.is_old_turn && delivery->count > 0) /* it was fresh */
		destination_added_fresh(
		    d, &(struct row_place){ delivery->recipients[0].due,
			   delivery->id, delivery->flights[0]->number });
	for (unsigned int i = 0; i < delivery->count; i++)
		flight_free(&delivery->flights[i]);
	wait_a_little(d);
}

/* -- Content -------------------------------------------------------------- */

static void
set_aside_all(struct delivery *delivery)
{
	for (unsigned int i = 0; i < delivery->count; i++) {
		struct row_place place = { delivery->recipients[i].due,
			delivery->id, delivery->flights[i]->number };

		flight_free(&delivery->flights[i]);
		if (set_aside(delivery->destination, &place,
			"the content in the store is damaged") == -1)
			wait_a_little(delivery->destination);
	}
}

int
collect_content(struct delivery *delivery)
{
	int error;

	delivery->fd = content_cache_open(
	    lifecycle->store, delivery->id, &delivery->message);
	if (delivery->fd != -1)
		return 0;
	error = errno;
	log_error("content-unreadable id=%s error=\"%s\"",
	    id_format(delivery->id).text, strerror(error));
	if (error == EBADMSG)
		set_aside_all(delivery);
	else
		collect_give_back(delivery);
	return -1;
}

/* -- What waits for a host that is down ----------------------------------- */

void
collect_sweep(struct destination *d)
{
	if (d->lane.sweeping)
		return;
	d->lane.sweeping = true;
	memset(&d->lane.sweep, 0, sizeof(d->lane.sweep));
}

/* The id says when the message began, a little before it was accepted. */
static bool
is_overdue(uint64_t id, uint64_t now)
{
	struct row_message row;

	return retry_is_over(&lifecycle->retry, id_time(id), now) &&
	       read_message(id, &row) == 0 &&
	       retry_is_over(&lifecycle->retry, row.arrival / 1000, now);
}

/* With what the host said to others its sender can be told why. */
static bool
is_to_be_warned(
    const struct destination *d, const struct row_place *place, uint64_t now)
{
	struct row_message message;
	struct row_recipient row;

	if (lifecycle->warn_after == 0 ||
	    now < id_time(place->id) + lifecycle->warn_after ||
	    read_recipient(d, place, &row) == -1 ||
	    read_message(place->id, &message) == -1)
		return false;
	row.reply = d->row.reply;
	return tell_what(&message, &row, lifecycle->warn_after, now * 1000) ==
	       TELL_DELAY;
}

/* It is deferred, as if it had been tried: so the commit sees that it has
 * expired, or that its sender is to be warned. */
static bool
defer_untried(struct destination *d, const struct row_place *place)
{
	struct lifecycle_report report = {
		.outcome = REPORT_DEFERRED,
		.scope = REPORT_SCOPE_DESTINATION,
		.host = "",
		.reply = d->row.reply,
		.unheard = true,
		.untried = true,
	};
	struct flight *f = flight_new(place->id, place->number, d);

	if (f != NULL && commit_report(f, &report) == 0)
		return true;
	flight_free(&f);
	return false;
}

/* One row of the sweep. */
static bool
sweep_row(struct destination *d, const struct row_place *place, uint64_t now)
{
	return !flight_exists(place->id, place->number) &&
	       (is_overdue(place->id, now) || is_to_be_warned(d, place, now)) &&
	       defer_untried(d, place);
}

bool
collect_sweep_step(struct destination *d)
{
	struct store *store = lifecycle->store;
	struct row_key start = row_key_due(d->name, &d->lane.sweep);
	uint64_t now = clock_seconds();
	unsigned int looked = 0, deferred = 0;
	struct bytes key, value;
	struct row_place place;
	int found = store_seek(store, STORE_DUE, &start, &key, &value);

	for (; found == 0; found = store_next(store, STORE_DUE, &key, &value)) {
		enum due due = read_due(d, key, &place);

		if (due == DUE_DAMAGED)
			continue;
		if (due == DUE_BEYOND)
			break;
		d->lane.sweep = place;
		if (looked++ >= SWEEP_LOOK || deferred >= SWEEP_DEFER)
			return deferred > 0;
		deferred += sweep_row(d, &place, now);
	}
	d->lane.sweeping = false;
	return deferred > 0;
}
