#include "queue/scheduler_lists.h"

static struct {
	struct destination_list lists[LANE_LISTS];
	unsigned int counts[LANE_LISTS];
} state;

void
scheduler_lists_begin(void)
{
	for (unsigned int i = 0; i < LANE_LISTS; i++) {
		TAILQ_INIT(&state.lists[i]);
		state.counts[i] = 0;
	}
}

void
scheduler_list_set(struct destination *d, enum lane_list list)
{
	if (d->lane.list != LANE_NONE) {
		TAILQ_REMOVE(&state.lists[d->lane.list], d, in_list);
		state.counts[d->lane.list]--;
	}
	d->lane.list = list;
	if (list != LANE_NONE) {
		TAILQ_INSERT_TAIL(&state.lists[list], d, in_list);
		state.counts[list]++;
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

struct destination *
scheduler_list_surplus(void)
{
	if (state.counts[LANE_IDLE] <= SCHEDULER_IDLE_MOST)
		return NULL;
	return TAILQ_FIRST(&state.lists[LANE_IDLE]);
}
