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
patience_is_moved(const struct patience *p, unsigned int steps, off_t offset)
{
	return p->steps != steps || p->offset != offset;
}

int64_t
patience_wait(struct patience *p, unsigned int steps, off_t offset,
    unsigned int seconds, struct monotime now)
{
	int64_t wait = seconds * INT64_C(1000), left;

	p->steps = steps;
	p->offset = offset;
	if (!p->has_deadline)
		return wait;
	left = monotime_ms_between(now, p->deadline);
	if (left < 0)
		left = 0;
	return wait < left ? wait : left;
}
