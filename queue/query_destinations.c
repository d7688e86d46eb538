#include "queue/query_destinations.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <bsd/string.h>

#include "common/log.h"
#include "queue/commit.h"
#include "queue/destination.h"
#include "queue/destination_name.h"
#include "queue/lifecycle.h"
#include "queue/pause.h"
#include "queue/query.h"
#include "queue/scheduler_share.h"
#include "queue/store.h"

static const struct lifecycle *lifecycle;

void
query_destinations_start(const struct lifecycle *the_lifecycle)
{
	lifecycle = the_lifecycle;
}

/* Most destinations are not in memory: then nothing is in flight, and the
 * window is what it would begin with. */
static void
look_in_memory(struct query_destination *q)
{
	static struct destination stranger; /* too large for the stack */
	struct destination *d =
	    destination_find(lifecycle->destinations, q->name);

	if (d == NULL) {
		stranger.kind = destination_kind(q->name);
		stranger.row = *q->row;
		stranger.lane.window = 0;
		d = &stranger;
	}
	q->in_flight = d->lane.flights;
	q->deliveries = d->lane.in_flight;
	q->window = share_window(d);
}

/* Gives one row to `each` if it is wanted. False to stop before it. */
static bool
offer(const char *wanted, const char *name, const struct row_destination *row,
    bool (*each)(const struct query_destination *, void *), void *context)
{
	struct query_destination q = { .name = name, .row = row };

	if (wanted[0] != '\0' && strcasecmp(wanted, name) != 0)
		return true;
	look_in_memory(&q);
	q.paused = pause_kind(name);
	return each(&q, context);
}

/* -- Walking through those in the store and the paused ones, in order ------ */

struct walk {
	int found; /* a row; or -1 and why not */
	int error;
	char name[LIMIT_DESTINATION + 1];
	struct row_destination row;
};

static int
read_row(struct walk *w, struct bytes key, struct bytes value)
{
	if (key.length > LIMIT_DESTINATION ||
	    memchr(key.data, '\0', key.length) != NULL) {
		log_error("destination-name-damaged");
		return -1;
	}
	memcpy(w->name, key.data, key.length);
	w->name[key.length] = '\0';
	if (row_destination_decode(&w->row, value.data, value.length) == 0)
		return 0;
	/* It is mended when the scheduler takes it up. */
	log_error("destination-damaged destination=%s", log_text(w->name));
	return -1;
}

/* To the first row that can be read: this one, or a later one. */
static void
settle(struct walk *w, struct bytes key, struct bytes value)
{
	while (w->found == 0 && read_row(w, key, value) == -1)
		w->found = store_next(
		    lifecycle->store, STORE_DESTINATION, &key, &value);
	w->error = errno;
}

static void
walk_begin(struct walk *w, const char *place)
{
	/* No key may be empty, and no name begins with a control character. */
	struct row_key from = row_key_text(place[0] != '\0' ? place : "\1");
	struct bytes key, value;

	w->found = store_seek(
	    lifecycle->store, STORE_DESTINATION, &from, &key, &value);
	settle(w, key, value);
}

static void
walk_on(struct walk *w)
{
	struct bytes key, value;

	w->found =
	    store_next(lifecycle->store, STORE_DESTINATION, &key, &value);
	settle(w, key, value);
}

/* Of "mx:" there may be very many, but each name has one spelling: then it is
 * known where the only one stands. The others are as the configuration and
 * /etc/passwd have them, and are meant in any case. */
static bool
is_one(const char *wanted, char *name)
{
	return destination_parse(wanted, name) == 0 &&
	       destination_kind(name) == ROUTE_MX;
}

static int
walk(const char *wanted, const char *only, char *place, unsigned int most,
    bool (*each)(const struct query_destination *, void *), void *context)
{
	static const struct row_destination nothing = { .reply = "" };
	const char *paused = pause_from(place);
	struct walk w;

	walk_begin(&w, place);
	while (w.found == 0 || paused != NULL) {
		int order = w.found != 0     ? 1
			    : paused == NULL ? -1
					     : strcmp(w.name, paused);

		strlcpy(
		    place, order <= 0 ? w.name : paused, LIMIT_DESTINATION + 1);
		if (only != NULL && strcmp(place, only) != 0)
			return 0;
		if (most-- == 0 ||
		    !offer(wanted, place, order <= 0 ? &w.row : &nothing, each,
			context))
			return 1;
		if (order >= 0)
			paused = pause_above(paused);
		if (order <= 0)
			walk_on(&w);
	}
	errno = w.error;
	return errno == ENOENT ? 0 : -1;
}

int
query_destinations(const char *wanted, char *place, unsigned int most,
    bool (*each)(const struct query_destination *, void *), void *context)
{
	char name[LIMIT_DESTINATION + 1];
	bool one = is_one(wanted, name);
	int result;

	if (store_read_begin(lifecycle->store) == -1)
		return -1;
	if (one && place[0] == '\0')
		strlcpy(place, name, sizeof(name));
	result = walk(
	    one ? name : wanted, one ? name : NULL, place, most, each, context);
	store_read_end(lifecycle->store);
	return result;
}

/* -- Pausing -------------------------------------------------------------- */

int
query_pause(const char *destination, bool paused,
    void (*done)(int result, void *context), void *context)
{
	if (paused && destination[0] != '\0' && pause_is_full() &&
	    !pause_is_set(destination))
		return 1;
	return commit_pause(destination, paused, done, context);
}

bool
query_paused(unsigned int *named)
{
	*named = pause_count();
	return pause_is_set("");
}
