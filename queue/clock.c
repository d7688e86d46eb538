#include "queue/clock.h"

#include <time.h>

uint64_t
clock_milliseconds(void)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_seconds(void)
{
	return clock_milliseconds() / 1000;
}
