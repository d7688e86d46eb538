/*
 * Monotonic time, for timers and rates, as a type of its own, so that it is
 * never mixed with wall time, which is for headers and schedules (time_t).
 */
#ifndef COMMON_MONOTIME_H
#define COMMON_MONOTIME_H

#include <sys/time.h>

#include <stdbool.h>
#include <stdint.h>

struct monotime {
	int64_t nanoseconds;
};

struct monotime monotime_now(void);
struct monotime monotime_add_ms(struct monotime, int64_t milliseconds);
/* later - earlier, in milliseconds. */
int64_t monotime_ms_between(struct monotime earlier, struct monotime later);
bool monotime_is_before(struct monotime, struct monotime);
/* A span as timers take it. */
struct timeval monotime_timeval(int64_t milliseconds);

#endif
