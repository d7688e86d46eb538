#include "common/monotime.h"

#include <time.h>

struct monotime
monotime_now(void)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (
	    struct monotime){ (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec };
}

struct monotime
monotime_add_ms(struct monotime t, int64_t milliseconds)
{
	return (struct monotime){ t.nanoseconds + milliseconds * 1000000 };
}

int64_t
monotime_ms_between(struct monotime earlier, struct monotime later)
{
	return (later.nanoseconds - earlier.nanoseconds) / 1000000;
}

bool
monotime_is_before(struct monotime a, struct monotime b)
{
	return a.nanoseconds < b.nanoseconds;
}

struct timeval
monotime_timeval(int64_t milliseconds)
{
	return (struct timeval){ .tv_sec = (time_t)(milliseconds / 1000),
		.tv_usec = (suseconds_t)(milliseconds % 1000 * 1000) };
}
