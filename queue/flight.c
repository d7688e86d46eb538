#include "queue/flight.h"

#include <stdlib.h>

#include "queue/destination.h"

RB_HEAD(flight_tree, flight);

static struct {
	struct flight_tree tree;
	unsigned int count;
} state;

static int
compare(struct flight *a, struct flight *b)
{
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return 0;
}

RB_PROTOTYPE(flight_tree, flight, by_recipient, compare)
RB_GENERATE(flight_tree, flight, by_recipient, compare)

struct flight *
flight_new(uint64_t id, uint32_t number, struct destination *d)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->id = id;
	f->number = number;
	f->destination = d;
	RB_INSERT(flight_tree, &state.tree, f);
	state.count++;
	d->lane.flights++;
	return f;
}

void
flight_free(struct flight **pointer)
{
	struct flight *f = *pointer;

	*pointer = NULL;
	if (f == NULL)
		return;
	RB_REMOVE(flight_tree, &state.tree, f);
	state.count--;
	f->destination->lane.flights--;
	free(f);
}

bool
flight_exists(uint64_t id, uint32_t number)
{
	struct flight key = { .id = id, .number = number };

	return RB_FIND(flight_tree, &state.tree, &key) != NULL;
}

bool
flight_exists_any(uint64_t id)
{
	struct flight key = { .id = id, .number = 0 };
	struct flight *f = RB_NFIND(flight_tree, &state.tree, &key);

	return f != NULL && f->id == id;
}

unsigned int
flight_count(void)
{
	return state.count;
}
