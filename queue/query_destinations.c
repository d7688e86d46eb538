#include "queue/query_destinations.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "queue/destination.h"
#include "queue/lifecycle.h"
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
offer(const char *wanted, const char *name, struct bytes value,
    bool (*each)(const struct query_destination *, void *), void *context)
{
	struct row_destination row;
	struct query_destination q = { .name = name, .row = &row };

	if (wanted[0] != '\0' && strcasecmp(wanted, name) != 0)
		return true;
	if (row_destination_decode(&row, value.data, value.length) == -1) {
		/* It is mended when the scheduler takes it up. */
		log_error("destination-damaged destination=%s", log_text(name));
		return true;
	}
	look_in_memory(&q);
	return each(&q, context);
}

static int
read_name(struct bytes key, char *name)
{
	if (key.length > LIMIT_DESTINATION)
		return -1;
	memcpy(name, key.data, key.length);
	name[key.length] = '\0';
	return 0;
}

static int
walk(const char *wanted, char *place, unsigned int most,
    bool (*each)(const struct query_destination *, void *), void *context)
{
	/* No key may be empty, and no name begins with a control character. */
	struct row_key from = row_key_text(place[0] != '\0' ? place : "\1");
	struct bytes key, value;
	int found = store_seek(
	    lifecycle->store, STORE_DESTINATION, &from, &key, &value);

	for (; found == 0; found = store_next(lifecycle->store,
			       STORE_DESTINATION, &key, &value)) {
		if (read_name(key, place) == -1) {
			log_error("destination-name-damaged");
			continue;
		}
		if (most-- == 0 || !offer(wanted, place, value, each, context))
			return 1;
	}
	return errno == ENOENT ? 0 : -1;
}

int
query_destinations(const char *wanted, char *place, unsigned int most,
    bool (*each)(const struct query_destination *, void *), void *context)
{
	int result;

	if (store_read_begin(lifecycle->store) == -1)
		return -1;
	result = walk(wanted, place, most, each, context);
	store_read_end(lifecycle->store);
	return result;
}
