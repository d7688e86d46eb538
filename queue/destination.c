#include "queue/destination.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "queue/destination_mend.h"
#include "queue/store.h"

static int destination_compare(struct destination *, struct destination *);

RB_GENERATE(destination_tree, destination, by_name, destination_compare)

static int
destination_compare(struct destination *a, struct destination *b)
{
	return strcmp(a->name, b->name);
}

void
destinations_begin(struct destinations *all)
{
	RB_INIT(&all->tree);
	TAILQ_INIT(&all->changed);
	all->count = all->local = 0;
}

static void
forget(struct destinations *all, struct destination *d)
{
	RB_REMOVE(destination_tree, &all->tree, d);
	all->count--;
	all->local -= d->kind == ROUTE_MAILBOX;
	free(d->name);
	free(d);
}

void
destinations_end(struct destinations *all)
{
	struct destination *d;

	while ((d = RB_ROOT(&all->tree)) != NULL)
		forget(all, d);
	TAILQ_INIT(&all->changed);
}

struct destination *
destination_find(struct destinations *all, const char *name)
{
	static struct destination key; /* too large to be cleared each time */

	key.name = (char *)(uintptr_t)name;
	return RB_FIND(destination_tree, &all->tree, &key);
}

static void
keep_reply(struct destination *d, const char *reply)
{
	strlcpy(d->reply_text, reply, sizeof(d->reply_text));
	d->row.reply = d->reply_text;
}

/* Reads the stored part; one that is not stored is all zero. */
static int
load(struct destination *d, struct store *store)
{
	struct row_key key = row_key_text(d->name);
	struct bytes value;

	if (store_get(store, STORE_DESTINATION, &key, &value) == -1) {
		if (errno != ENOENT)
			return -1;
		memset(&d->row, 0, sizeof(d->row));
		keep_reply(d, "");
		return 0;
	}
	if (row_destination_decode(&d->row, value.data, value.length) == -1 &&
	    destination_mend(&d->row, store, d->name) == -1)
		return -1;
	keep_reply(d, d->row.reply);
	return 0;
}

enum route_kind
destination_kind(const char *name)
{
	if (strncmp(name, "local:", 6) == 0)
		return ROUTE_MAILBOX;
	return strncmp(name, "relay:", 6) == 0 ? ROUTE_RELAY : ROUTE_MX;
}

struct destination *
destination_open(
    struct destinations *all, struct store *store, const char *name)
{
	struct destination *d = destination_find(all, name);

	if (d != NULL)
		return d;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->name = strdup(name);
	d->kind = destination_kind(name);
	if (d->name == NULL || load(d, store) == -1) {
		free(d->name);
		free(d);
		return NULL;
	}
	RB_INSERT(destination_tree, &all->tree, d);
	all->count++;
	all->local += d->kind == ROUTE_MAILBOX;
	return d;
}

void
destination_close(struct destinations *all, struct destination **pointer)
{
	struct destination *d = *pointer;

	*pointer = NULL;
	assert(!d->changed && d->lane.list == LANE_NONE &&
	       d->lane.flights == 0 && d->lane.in_flight == 0);
	forget(all, d);
}

void
destination_change(struct destinations *all, struct destination *d)
{
	if (d->changed)
		return;
	d->changed = true;
	TAILQ_INSERT_TAIL(&all->changed, d, in_changed);
}

void
destination_added(struct destination *d, const struct row_place *place)
{
	if (row_place_compare(place, &d->lane.next) < 0)
		d->lane.next = *place;
}

void
destination_added_fresh(struct destination *d, const struct row_place *place)
{
	if (!d->lane.has_fresh ||
	    row_place_compare(place, &d->lane.fresh) < 0 ||
	    place->time > d->lane.fresh.time + DESTINATION_FRESH_S)
		d->lane.fresh = *place;
	d->lane.has_fresh = true;
}

void
destination_failed(struct destination *d, const struct retry_policy *policy,
    uint64_t now, const char *reply)
{
	/* What was in flight together fails together: it is one failure. */
	if (!retry_is_due(policy, d->row.backoff_until, now))
		return;
	keep_reply(d, reply);
	if (d->row.failures < UINT32_MAX)
		d->row.failures++;
	d->row.backoff_until =
	    now + retry_delay(policy, d->row.failures, arc4random());
}

void
destination_answered(struct destination *d)
{
	d->row.failures = 0;
	d->row.backoff_until = 0;
	keep_reply(d, "");
}

void
destination_hurry(struct destination *d, const struct row_place *place)
{
	destination_added_fresh(d, place);
	d->lane.is_old_turn = false;
	d->lane.asked_for = true;
	d->row.backoff_until = 0;
	d->hurried = true;
}

void
destination_restore(struct destination *d, uint64_t backoff_until,
    uint32_t failures, const char *reply)
{
	if (d->row.failures > 0 || d->row.backoff_until > 0)
		return;
	d->row.failures = failures;
	d->row.backoff_until = backoff_until;
	keep_reply(d, reply);
}

/* A key that makes no sense is nobody's, and hides nothing behind it. */
static int
find_first_due(struct destination *d, struct store *store)
{
	static const struct row_place start = { 0, 0, 0 };
	struct row_key from = row_key_due(d->name, &start);
	struct row_place place = start;
	struct bytes key, value;
	const char *name;
	int found = store_seek(store, STORE_DUE, &from, &key, &value);

	d->first_due = 0;
	for (; found == 0; found = store_next(store, STORE_DUE, &key, &value)) {
		/* A damaged key is in nobody's way. */
		if (row_key_due_read(key.data, key.length, &name, &place) == -1)
			continue;
		if (strcmp(name, d->name) == 0)
			d->first_due = place.time;
		return 0;
	}
	return errno == ENOENT ? 0 : -1;
}

/* When to look at it next. A time that has passed is as good as any other, so
 * that a busy destination keeps its key; but never a later one than what is due
 * says, for the clock may be set back. */
static uint64_t
wake_time(const struct destination *d, uint64_t now)
{
	uint64_t wake = d->first_due;

	if (wake == 0)
		return 0;
	if (wake < d->row.backoff_until)
		wake = d->row.backoff_until;
	if (wake <= now && d->row.wake != 0 && d->row.wake <= wake)
		return d->row.wake;
	return wake;
}

static int
move_wake(struct destination *d, struct store *store, uint64_t wake)
{
	struct row_key key;

	if (wake == d->row.wake && !d->hurried)
		return 0;
	d->hurried = false;
	if (d->row.wake != 0) {
		key = row_key_wake(d->row.wake, d->name);
		if (store_delete(store, STORE_WAKE, &key) == -1 &&
		    errno != ENOENT)
			return -1;
	}
	d->row.wake = wake;
	if (wake == 0)
		return 0;
	key = row_key_wake(wake, d->name);
	return store_put(store, STORE_WAKE, &key, "", 0);
}

static int
write_row(struct destination *d, struct store *store)
{
	struct row_key key = row_key_text(d->name);
	uint8_t value[ROW_VALUE_SIZE];
	size_t length;

	if (d->row.waiting == 0 && d->row.held == 0 && d->row.failed == 0) {
		if (store_delete(store, STORE_DESTINATION, &key) == 0)
			return 0;
		return errno == ENOENT ? 0 : -1;
	}
	length = row_destination_encode(&d->row, value);
	if (length == 0) {
		errno = EMSGSIZE;
		return -1;
	}
	return store_put(store, STORE_DESTINATION, &key, value, length);
}

int
destinations_flush(struct destinations *all, struct store *store, uint64_t now)
{
	struct destination *d;

	TAILQ_FOREACH (d, &all->changed, in_changed) {
		if (find_first_due(d, store) == -1 ||
		    move_wake(d, store, wake_time(d, now)) == -1 ||
		    write_row(d, store) == -1)
			return -1;
	}
	return 0;
}

int
destinations_reload(struct destinations *all, struct store *store)
{
	struct destination *d;

	TAILQ_FOREACH (d, &all->changed, in_changed) {
		if (load(d, store) == -1 || find_first_due(d, store) == -1)
			return -1;
	}
	return 0;
}
