#include "queue/scheduler_share.h"

#include <string.h>

#include "queue/destination.h"
#include "queue/scheduler.h"

struct share {
	unsigned int deliveries; /* in flight */
	unsigned int busy;	 /* destinations that have any */
};

static struct share local, remote;

void
share_begin(void)
{
	memset(&local, 0, sizeof(local));
	memset(&remote, 0, sizeof(remote));
}

bool
share_is_local(const struct destination *d)
{
	return d->kind == ROUTE_MAILBOX;
}

static struct share *
share_of(const struct destination *d)
{
	return share_is_local(d) ? &local : &remote;
}

unsigned int
share_window(struct destination *d)
{
	if (d->lane.window == 0)
		d->lane.window = share_is_local(d) ? SCHEDULER_WINDOW_LOCAL
						   : SCHEDULER_WINDOW_FIRST;
	return d->row.failures > 0 ? 1 : d->lane.window;
}

void
share_grow(struct destination *d)
{
	unsigned int most =
	    share_is_local(d) ? SCHEDULER_WINDOW_LOCAL : SCHEDULER_WINDOW_MOST;

	if (d->lane.window < most)
		d->lane.window++;
}

void
share_halve(struct destination *d)
{
	d->lane.window = d->lane.window > 1 ? d->lane.window / 2 : 1;
}

bool
share_is_left(const struct destination *d)
{
	const struct share *s = share_of(d);
	unsigned int most =
	    share_is_local(d) ? SCHEDULER_LOCAL : SCHEDULER_REMOTE;

	if (d->lane.in_flight == 0)
		return s->deliveries < 2 * most;
	if (s->deliveries >= most)
		return false;
	return d->lane.in_flight < most / s->busy;
}

void
share_take(struct destination *d)
{
	struct share *s = share_of(d);

	if (d->lane.in_flight++ == 0)
		s->busy++;
	s->deliveries++;
}

void
share_give_back(struct destination *d)
{
	struct share *s = share_of(d);

	if (--d->lane.in_flight == 0)
		s->busy--;
	s->deliveries--;
}

unsigned int
share_in_flight(enum route_kind kind)
{
	return kind == ROUTE_MAILBOX ? local.deliveries : remote.deliveries;
}
