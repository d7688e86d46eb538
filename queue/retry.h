/*
 * When to try again: exponential back-off with jitter. Pure.
 */
#ifndef QUEUE_RETRY_H
#define QUEUE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
	unsigned int from; /* seconds: the first delay, */
	unsigned int to;   /* the longest delay, */
	unsigned int for_; /* and how long to go on trying */
};

/* The delay in seconds after the `attempt`th failure, counted from 1. It
 * doubles each time; up to a quarter is taken off by `random` (any number), so
 * that what failed together does not come back together; it is never below
 * `from` nor above `to`. */
unsigned int retry_delay(
    const struct retry_policy *, uint32_t attempt, uint32_t random);

/* Has it been tried for long enough? */
bool retry_is_over(const struct retry_policy *, uint64_t arrival, uint64_t now);

/* The longest delay that there can be. */
unsigned int retry_longest(const struct retry_policy *);

/* Has this time come? One that lies further ahead than any delay was written
 * before the clock was set back or the delays were shortened: it has. */
bool retry_is_due(const struct retry_policy *, uint64_t time, uint64_t now);

#endif
