#include "clock.h"

int64_t clock_ms, clock_due_ms;

struct monotime __wrap_monotime_now(void);
struct timeval __wrap_monotime_timeval(int64_t milliseconds);

struct monotime
__wrap_monotime_now(void)
{
	return monotime_add_ms((struct monotime){ 0 }, clock_ms);
}

struct timeval
__wrap_monotime_timeval(int64_t milliseconds)
{
	clock_due_ms = clock_ms + milliseconds;
	return (struct timeval){ .tv_sec = 24 * 60 * 60 };
}
