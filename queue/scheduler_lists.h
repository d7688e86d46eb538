/*
 * The scheduler's lists of destinations: each is in at most one, in the order
 * in which it came there.
 */
#ifndef QUEUE_SCHEDULER_LISTS_H
#define QUEUE_SCHEDULER_LISTS_H

#include <stdbool.h>

#include "queue/destination.h"

/* Idle destinations that stay in memory, with what was learnt about them; as
 * many again that have answered, so that no crowd of others displaces them. */
#define SCHEDULER_IDLE_MOST 1024

void scheduler_lists_begin(void);
/* To the end of that list, also if it was in it. */
void scheduler_list_set(struct destination *, enum lane_list);
struct destination *scheduler_list_first(enum lane_list);
unsigned int scheduler_list_count(enum lane_list);
bool scheduler_list_is_idle(const struct destination *);
/* Idle ones that are local, or remote. */
unsigned int scheduler_list_idle(bool local);
/* The idle one to forget first, if there are too many; or NULL. */
struct destination *scheduler_list_surplus(void);

#endif
