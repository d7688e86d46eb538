#include "queue/scheduler_lists.h"

static struct {
	struct destination_list lists[LANE_LISTS];
	unsigned int counts[LANE_LISTS];
	unsigned int idle_local;
} state;

void
scheduler_lists_begin(void)
{
	for (unsigned int i = 0; i < LANE_LISTS; i++) {
		TAILQ_INIT(&state.lists[i]);
		state.counts[i] = 0;
	}
	state.idle_local = 0;
}

bool
scheduler_list_is_idle(const struct destination *d)
{
	return d->lane.list == LANE_IDLE || d->lane.list == LANE_KNOWN;
}

/* `by` is 1 or -1. */
static void
count(const struct destination *d, unsigned int by)
{
	state.counts[d->lane.list] += by;
	if (scheduler_list_is_idle(d) && d->kind == ROUTE_MAILBOX)
		state.idle_local += by;
}

void
scheduler_list_set(struct destination *d, enum lane_list list)
{
	if (d->lane.list != LANE_NONE) {
		TAILQ_REMOVE(&state.lists[d->lane.list], d, in_list);
		count(d, -1U);
	}
	d->lane.list = list;
	if (list != LANE_NONE) {
		TAILQ_INSERT_TAIL(&state.lists[list], d, in_list);
		count(d, 1);
	}
}

struct destination *
scheduler_list_first(enum lane_list list)
{
	return TAILQ_FIRST(&state.lists[list]);
}

unsigned int
scheduler_list_count(enum lane_list list)
{
	return state.counts[list];
}

unsigned int
scheduler_list_idle(bool local)
{
	unsigned int all = state.counts[LANE_IDLE] + state.counts[LANE_KNOWN];

	return local ? state.idle_local : all - state.idle_local;
}

struct destination *
scheduler_list_surplus(void)
{
	if (state.counts[LANE_IDLE] > SCHEDULER_IDLE_MOST)
		return TAILQ_FIRST(&state.lists[LANE_IDLE]);
	if (state.counts[LANE_KNOWN] > SCHEDULER_IDLE_MOST)
		return TAILQ_FIRST(&state.lists[LANE_KNOWN]);
	return NULL;
}
