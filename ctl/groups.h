/*
 * Recipients counted by state, destination and reason.
 *
 * Memory is bounded: there are at most so many groups, and whatever belongs to
 * none of them when all are taken, or for want of memory, is counted as one.
 */
#ifndef CTL_GROUPS_H
#define CTL_GROUPS_H

#include <stddef.h>
#include <stdint.h>

/* Some 20 MB at the very worst; no list that a person reads is as long. */
#define GROUPS_MOST 65536

struct group {
	struct group *next; /* in its bucket */
	const char *state;  /* lent: a constant */
	const char *destination;
	const char *reason;
	uint64_t count;
	uint64_t oldest;   /* arrival, seconds since the epoch */
	uint64_t next_try; /* the soonest try, likewise; 0: none */
	uint64_t hash;
};

struct groups;

/* NULL if there is no memory. */
struct groups *groups_new(size_t most);
void groups_free(struct groups **);

void groups_add(struct groups *, const char *state, const char *destination,
    const char *reason, uint64_t count, uint64_t oldest, uint64_t next_try);
/* The group of the empty reason, if there is one, gets this reason. */
void groups_give_reason(struct groups *, const char *state,
    const char *destination, const char *reason);

/* The greatest last; `count` says how many. Good until the next change. */
struct group **groups_sort(struct groups *, size_t *count);
/* Those that are in no group: its count may be zero. */
const struct group *groups_others(const struct groups *);

#endif
