#include "router/handles.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

void
handles_init(struct handles *h)
{
	memset(h, 0, sizeof(*h));
	for (unsigned int i = 0; i < LIMIT_STORING; i++)
		h->unused[i] = (uint16_t)(LIMIT_STORING - 1 - i);
	h->unused_count = LIMIT_STORING;
}

static uint32_t
handle_of(const struct handles *h, uint32_t index)
{
	return h->places[index].used * LIMIT_STORING + index;
}

uint32_t
handles_take(struct handles *h, void *thing)
{
	uint16_t index;

	assert(!handles_are_full(h));
	index = h->unused[--h->unused_count];
	h->places[index].used++;
	h->places[index].thing = thing;
	return handle_of(h, index);
}

void
handles_leave(struct handles *h, uint32_t handle)
{
	uint16_t index = (uint16_t)(handle % LIMIT_STORING);

	assert(handles_find(h, handle) != NULL);
	h->places[index].thing = NULL;
	h->unused[h->unused_count++] = index;
}

void *
handles_find(const struct handles *h, uint32_t handle)
{
	uint32_t index = handle % LIMIT_STORING;

	return handle_of(h, index) == handle ? h->places[index].thing : NULL;
}

bool
handles_are_full(const struct handles *h)
{
	return h->unused_count == 0;
}

bool
handles_are_idle(const struct handles *h)
{
	return h->unused_count == LIMIT_STORING;
}
