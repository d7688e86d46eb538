#include "clock.h"

int64_t clock_ms, clock_due_ms;

struct monotime
monotime_now(void)
{
	return monotime_add_ms((struct monotime){ 0 }, clock_ms);
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
	clock_due_ms = clock_ms + milliseconds;
	return (struct timeval){ .tv_sec = 24 * 60 * 60 };
}
