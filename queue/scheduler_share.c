#include "queue/scheduler_share.h"

#include <string.h>

#include "queue/destination.h"
#include "queue/scheduler.h"

/* Of all places one in so many is for fresh mail only. */
#define SHARE_FRESH 8

/* By standing. */
struct share {
	uint64_t octets[SHARE_STANDINGS];     /* of large contents */
	uint64_t deliveries[SHARE_STANDINGS]; /* in flight */
	uint64_t busy[SHARE_STANDINGS];	      /* destinations with any */
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

enum share_standing
share_standing(const struct destination *d)
{
	if (d->row.failures > 0 && !d->lane.asked_for)
		return SHARE_DOUBTFUL;
	return d->lane.answered || share_is_local(d) ? SHARE_SOUND
						     : SHARE_UNTRIED;
}

bool
share_is_fresh(const struct destination *d)
{
	return d->lane.has_fresh || d->lane.gave_fresh;
}

static struct share *
share_of(const struct destination *d)
{
	return share_is_local(d) ? &local : &remote;
}

/* What is in flight counts where the destination stands now. */
static void
settle(struct destination *d)
{
	struct share *s = share_of(d);
	unsigned int standing = share_standing(d);
	unsigned int before = d->lane.standing;

	d->lane.standing = standing;
	if (standing == before || d->lane.in_flight == 0)
		return;
	s->octets[before] -= d->lane.octets;
	s->octets[standing] += d->lane.octets;
	s->deliveries[before] -= d->lane.in_flight;
	s->deliveries[standing] += d->lane.in_flight;
	s->busy[before]--;
	s->busy[standing]++;
}

/* -- The window ----------------------------------------------------------- */

unsigned int
share_window(struct destination *d)
{
	if (d->lane.window == 0)
		d->lane.window = share_is_local(d) ? SCHEDULER_WINDOW_LOCAL
						   : SCHEDULER_WINDOW_FIRST;
	return d->row.failures > 0 ? 1 : d->lane.window;
}

void
share_answered(struct destination *d, bool delivered)
{
	d->lane.answered = !share_is_local(d); /* nobody asks a local one */
	d->lane.asked_for = false;
	d->lane.failed = 0;
	d->lane.took_mail |= delivered;
	settle(d);
}

/* A remote one: users have one worker, and no limit of connections. */
static bool
is_limited(const struct destination *d)
{
	return !share_is_local(d) && d->lane.answered && d->row.failures == 0 &&
	       d->lane.in_flight > 1 && d->lane.failed < d->lane.window;
}

/* What was in flight together fails together: the window halves once. */
bool
share_failed(struct destination *d, uint64_t id)
{
	if (d->lane.failed == 0)
		d->lane.window = d->lane.window > 1 ? d->lane.window / 2 : 1;
	if (d->lane.failed == 0 || d->lane.failed_id != id)
		d->lane.failed++;
	d->lane.failed_id = id;
	if (is_limited(d))
		return false;
	d->lane.answered = d->lane.asked_for = d->lane.took_mail = false;
	settle(d);
	return true;
}

/* However many recipients a delivery had. */
static void
grow(struct destination *d)
{
	unsigned int most =
	    share_is_local(d) ? SCHEDULER_WINDOW_LOCAL : SCHEDULER_WINDOW_MOST;

	if (d->lane.took_mail && d->lane.window < most)
		d->lane.window++;
	d->lane.took_mail = false;
}

/* -- The share ------------------------------------------------------------ */

/* From this standing down to the worst. */
static uint64_t
sum(const uint64_t counts[SHARE_STANDINGS], unsigned int from)
{
	uint64_t total = 0;

	for (unsigned int i = from; i < SHARE_STANDINGS; i++)
		total += counts[i];
	return total;
}

/* What is there for a standing, of which the rest is kept for better ones. */
static const unsigned int quarters[SHARE_STANDINGS] = {
	[SHARE_SOUND] = 4,
	[SHARE_UNTRIED] = 3,
	[SHARE_DOUBTFUL] = 1,
};

/* It has none yet: places are kept back for those who stand better only, and
 * some for fresh mail. */
static bool
may_begin(const struct share *s, const struct destination *d, unsigned int most)
{
	unsigned int standing = d->lane.standing;
	uint64_t places = (uint64_t)most / 4 * quarters[standing];

	if (standing != SHARE_DOUBTFUL && !share_is_fresh(d))
		places -= most / SHARE_FRESH;
	return sum(s->deliveries, standing) < places;
}

/* It has some: an equal part of the first half, or, so that the sound are not
 * slowed by those who hang, of what is kept for the sound. With fresh mail a
 * part of what others leave to such: else old mail, a delivery for each of very
 * many destinations, would let it have no more than one. */
static bool
may_grow(const struct share *s, const struct destination *d, unsigned int most)
{
	uint64_t sound = s->deliveries[SHARE_SOUND], kept = most / 4;

	if (share_is_fresh(d) && d->lane.standing == SHARE_SOUND &&
	    d->lane.in_flight < (most - sum(s->deliveries, 0)) / SHARE_FRESH)
		return true;
	if (sum(s->deliveries, 0) < most / 2 &&
	    d->lane.in_flight < most / 2 / sum(s->busy, 0))
		return true;
	return d->lane.standing == SHARE_SOUND && sound < kept &&
	       d->lane.in_flight < kept / s->busy[SHARE_SOUND];
}

bool
share_is_left(struct destination *d)
{
	const struct share *s = share_of(d);
	unsigned int most =
	    2 * (share_is_local(d) ? SCHEDULER_LOCAL : SCHEDULER_REMOTE);

	settle(d);
	if (sum(s->deliveries, 0) >= most)
		return false;
	if (d->lane.in_flight == 0)
		return may_begin(s, d, most);
	return may_grow(s, d, most);
}

/* -- The octets ----------------------------------------------------------- */

static bool
is_large(uint64_t size)
{
	return size > SCHEDULER_SMALL;
}

bool
share_has_room_for(struct destination *d, uint64_t size)
{
	const struct share *s = share_of(d);
	uint64_t octets;

	settle(d);
	octets = sum(s->octets, d->lane.standing);
	if (!is_large(size) || octets == 0)
		return true;
	/* Whoever has some already shares the first half with his like. */
	if (d->lane.octets > 0 &&
	    sum(s->octets, 0) + size > SCHEDULER_OCTETS / 2)
		return false;
	return octets + size <=
	       SCHEDULER_OCTETS / 4 * quarters[d->lane.standing];
}

/* -- In flight ------------------------------------------------------------ */

void
share_take(struct destination *d, uint64_t size)
{
	struct share *s = share_of(d);

	settle(d);
	if (is_large(size)) {
		d->lane.octets += size;
		s->octets[d->lane.standing] += size;
	}
	if (d->lane.in_flight++ == 0)
		s->busy[d->lane.standing]++;
	s->deliveries[d->lane.standing]++;
}

void
share_give_back(struct destination *d, uint64_t size)
{
	struct share *s = share_of(d);

	settle(d);
	if (is_large(size)) {
		d->lane.octets -= size;
		s->octets[d->lane.standing] -= size;
	}
	grow(d);
	if (--d->lane.in_flight == 0)
		s->busy[d->lane.standing]--;
	s->deliveries[d->lane.standing]--;
}

unsigned int
share_in_flight(enum route_kind kind)
{
	return (unsigned int)sum(
	    kind == ROUTE_MAILBOX ? local.deliveries : remote.deliveries, 0);
}
