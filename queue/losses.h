/*
 * How often a recipient was in flight when its agent ended. Once is an
 * accident of the agent's; again and again, and this message may be what kills
 * it. In memory only, and bounded: the oldest entry is forgotten first.
 */
#ifndef QUEUE_LOSSES_H
#define QUEUE_LOSSES_H

#include <stdint.h>

#define LOSSES_KEPT 4096

/* Counts one more, and returns how many it has been; 0 without memory. */
unsigned int losses_add(uint64_t id, uint32_t number);
/* It was reported on at last. */
void losses_forget(uint64_t id, uint32_t number);

#endif
