#include "queue/losses.h"

#include <stdlib.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct loss {
	RB_ENTRY(loss) by_recipient;
	TAILQ_ENTRY(loss) by_age;
	uint64_t id;
	uint32_t number;
	unsigned int count;
};

RB_HEAD(loss_tree, loss);
TAILQ_HEAD(loss_list, loss);

static struct {
	struct loss_tree tree;
	struct loss_list order;
	unsigned int count;
} state = { .order = TAILQ_HEAD_INITIALIZER(state.order) };

static int
compare(struct loss *a, struct loss *b)
{
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return 0;
}

RB_PROTOTYPE(loss_tree, loss, by_recipient, compare)
RB_GENERATE(loss_tree, loss, by_recipient, compare)

static struct loss *
find(uint64_t id, uint32_t number)
{
	struct loss key = { .id = id, .number = number };

	return RB_FIND(loss_tree, &state.tree, &key);
}

static void
forget(struct loss *l)
{
	RB_REMOVE(loss_tree, &state.tree, l);
	TAILQ_REMOVE(&state.order, l, by_age);
	state.count--;
	free(l);
}

unsigned int
losses_add(uint64_t id, uint32_t number)
{
	struct loss *l = find(id, number);

	if (l != NULL)
		return ++l->count;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return 0;
	if (state.count >= LOSSES_KEPT)
		forget(TAILQ_FIRST(&state.order));
	l->id = id;
	l->number = number;
	l->count = 1;
	RB_INSERT(loss_tree, &state.tree, l);
	TAILQ_INSERT_TAIL(&state.order, l, by_age);
	state.count++;
	return 1;
}

void
losses_forget(uint64_t id, uint32_t number)
{
	struct loss *l = state.count == 0 ? NULL : find(id, number);

	if (l != NULL)
		forget(l);
}
