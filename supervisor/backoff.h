/*
 * How long a program that died waits before it is started again.
 *
 * One that was at work for a while comes back at once, and so does one that
 * had become ready, the first time. One that keeps dying quickly waits 100 ms,
 * then twice as long each time, up to half a minute.
 */
#ifndef SUPERVISOR_BACKOFF_H
#define SUPERVISOR_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_STEADY_MS 1000
#define BACKOFF_LEAST_MS 100
#define BACKOFF_MOST_MS 30000

struct backoff {
	unsigned int quick_deaths; /* in a row */
};

/* Records a death; returns the wait in milliseconds. */
int64_t backoff_next(struct backoff *, int64_t lived_ms, bool was_ready);

#endif
