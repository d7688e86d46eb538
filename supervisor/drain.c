#include "supervisor/drain.h"

#include <event2/event.h>

#include "common/log.h"
#include "supervisor/generation.h"
#include "supervisor/process.h"

/* Between the end of a program's own patience and the end of ours. */
#define GRACE_MS 400
/* The last word, after the latest end_by of all. */
#define HOUSE_MS 4600L
#define LEAST_MS 200

static struct monotime stopping_since;

bool
drain_concerns(const struct process *p)
{
	return p->house->stopping ||
	       (p->generation->draining && !p->spec->lasting);
}

static bool
is_needed(const struct process *p)
{
	struct process *other;

	TAILQ_FOREACH (other, &p->house->processes, next)
		if (((unsigned int)other->spec->program & p->spec->after) !=
			0 &&
		    (other->generation == p->generation || p->spec->lasting))
			return true;
	return false;
}

/* How long it may take, in milliseconds, until it is killed. */
static int64_t
time_left(const struct process *p)
{
	int64_t left = DRAIN_RELOAD_SECONDS * 1000 + GRACE_MS;

	if (p->house->stopping)
		left = p->spec->end_by -
		       monotime_ms_between(stopping_since, monotime_now());
	return left < LEAST_MS ? LEAST_MS : left;
}

/* A program is told of fewer seconds, so that it can end by itself and say
 * goodbye to its clients. */
static void
drain_process(struct process *p)
{
	int64_t left = time_left(p);
	int64_t seconds = (left - GRACE_MS) / 1000;

	process_drain(p, seconds < 1 ? 1 : (uint32_t)seconds);
	process_kill_in(p, left);
}

void
drain_step(struct house *house)
{
	struct process *p, *later;

	TAILQ_FOREACH_SAFE (p, &house->processes, next, later)
		if (drain_concerns(p) && p->pid == 0)
			process_free(&p);
	TAILQ_FOREACH (p, &house->processes, next)
		if (drain_concerns(p) && p->state != PROCESS_DRAINING &&
		    !is_needed(p))
			drain_process(p);
	generation_sweep(house);
	if (house->stopping && TAILQ_EMPTY(&house->processes))
		event_base_loopbreak(house->base);
}

void
drain_generation(struct generation *g, struct house *house)
{
	g->draining = true;
	listeners_close(&g->listeners);
	log_info("drain generation=%u", g->number);
	drain_step(house);
}

static void
on_last_word(evutil_socket_t fd, short what, void *argument)
{
	struct house *house = argument;
	struct process *p;

	(void)fd;
	(void)what;
	TAILQ_FOREACH (p, &house->processes, next)
		process_kill(p, "the house is closed");
	event_base_loopbreak(house->base);
}

void
drain_house(struct house *house)
{
	static const struct timeval most = { HOUSE_MS / 1000,
		(HOUSE_MS % 1000) * 1000 };
	struct generation *g;
	struct process *p;

	if (house->stopping)
		return;
	house->stopping = true;
	stopping_since = monotime_now();
	TAILQ_FOREACH (g, &house->generations, next)
		g->draining = true;
	/* An old generation's may have been given longer than is left now. */
	TAILQ_FOREACH (p, &house->processes, next)
		if (p->state == PROCESS_DRAINING)
			process_kill_in(p, p->spec->end_by);
	if (event_base_once(
		house->base, -1, EV_TIMEOUT, on_last_word, house, &most) == -1)
		log_error("timer-failed program=postern");
	drain_step(house);
}
