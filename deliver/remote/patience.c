#include "deliver/remote/patience.h"

#include "common/limits.h"

void
patience_begin(struct patience *p, struct monotime now)
{
	p->deadline =
	    monotime_add_ms(now, LIMIT_MESSAGE_SECONDS * INT64_C(1000));
	p->has_deadline = true;
}

void
patience_end(struct patience *p)
{
	p->has_deadline = false;
}

bool
patience_is_moved(const struct patience *p, unsigned int steps, uint64_t taken)
{
	return p->steps != steps || p->taken != taken;
}

int64_t
patience_wait(struct patience *p, unsigned int steps, uint64_t taken,
    unsigned int seconds, struct monotime now)
{
	int64_t wait = seconds * INT64_C(1000), left;

	p->steps = steps;
	p->taken = taken;
	p->is_last = false;
	if (!p->has_deadline)
		return wait;
	left = monotime_ms_between(now, p->deadline);
	if (left < 0)
		left = 0;
	p->is_last = left <= wait;
	return p->is_last ? left : wait;
}

bool
patience_is_last(const struct patience *p)
{
	return p->is_last;
}
