/*
 * The handles of one link: each names a place in a fixed table and how often
 * that place was used, so that one that is late, sent twice or invented finds
 * nothing.
 */
#ifndef ROUTER_HANDLES_H
#define ROUTER_HANDLES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"

struct handle_place {
	void *thing;   /* lent; NULL: free */
	uint32_t used; /* how often: the generation in the handle */
};

struct handles {
	struct handle_place places[LIMIT_STORING];
	uint16_t unused[LIMIT_STORING]; /* a stack of indices */
	unsigned int unused_count;
};

void handles_init(struct handles *);
/* A handle for the thing. They must not be full. */
uint32_t handles_take(struct handles *, void *thing);
/* The handle must be one that was taken. */
void handles_leave(struct handles *, uint32_t handle);
/* Any number. NULL if it is no handle of now. */
void *handles_find(const struct handles *, uint32_t handle);

bool handles_are_full(const struct handles *);
/* Is none taken? */
bool handles_are_idle(const struct handles *);

#endif
