#include "supervisor/backoff.h"

int64_t
backoff_next(struct backoff *b, int64_t lived_ms, bool was_ready)
{
	int64_t wait = BACKOFF_LEAST_MS;
	unsigned int doublings;

	if (was_ready && lived_ms >= BACKOFF_STEADY_MS) {
		b->quick_deaths = 0;
		return 0;
	}
	if (b->quick_deaths < UINT32_MAX)
		b->quick_deaths++;
	if (was_ready && b->quick_deaths == 1)
		return 0;
	doublings = b->quick_deaths - (was_ready ? 2 : 1);
	while (doublings-- > 0 && wait < BACKOFF_MOST_MS)
		wait *= 2;
	return wait < BACKOFF_MOST_MS ? wait : BACKOFF_MOST_MS;
}
