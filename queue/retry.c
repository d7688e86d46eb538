#include "queue/retry.h"

unsigned int
retry_delay(
    const struct retry_policy *policy, uint32_t attempt, uint32_t random)
{
	uint64_t delay = policy->from > 0 ? policy->from : 1;

	while (attempt > 1 && delay < policy->to) {
		delay *= 2;
		attempt--;
	}
	if (delay > policy->to)
		delay = policy->to;
	delay -= delay * (random % 256) / 1024;
	if (delay < policy->from)
		delay = policy->from;
	return (unsigned int)(delay > 0 ? delay : 1);
}

bool
retry_is_over(const struct retry_policy *policy, uint64_t arrival, uint64_t now)
{
	return now >= arrival && now - arrival >= policy->for_;
}

unsigned int
retry_longest(const struct retry_policy *policy)
{
	return policy->to > policy->from ? policy->to : policy->from;
}

bool
retry_is_due(const struct retry_policy *policy, uint64_t time, uint64_t now)
{
	return time <= now || time - now > retry_longest(policy);
}
