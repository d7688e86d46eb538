#include "supervisor/relink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "supervisor/links.h"
#include "supervisor/process.h"

/* Two whose link ended. Known by their instances, since a process may be gone
 * when its turn comes; kept for its back-off while both live. */
struct pair {
	TAILQ_ENTRY(pair) next;
	struct house *house;
	uint32_t inner, outer;
	int64_t wait; /* the last one */
	struct monotime made;
	struct event *timer; /* pending while a link is to be made */
};

static TAILQ_HEAD(pairs, pair) pairs = TAILQ_HEAD_INITIALIZER(pairs);

static struct process *
find_process(const struct house *house, uint32_t instance)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next)
		if (p->instance == instance && p->pid != 0)
			return p;
	return NULL;
}

static bool
is_at_work(const struct process *p)
{
	return p->state == PROCESS_STARTING || p->state == PROCESS_READY;
}

static void
pair_free(struct pair *pair)
{
	TAILQ_REMOVE(&pairs, pair, next);
	if (pair->timer != NULL)
		event_free(pair->timer);
	free(pair);
}

int64_t
relink_wait(int64_t last, int64_t lasted)
{
	if (last == 0 || lasted >= RELINK_STEADY_MS)
		return RELINK_LEAST_MS;
	return 2 * last < RELINK_MOST_MS ? 2 * last : RELINK_MOST_MS;
}

/* If even that fails: its successor will be linked. */
static void
wait_again(struct pair *pair, struct process *outer)
{
	struct timeval in;

	pair->wait = relink_wait(
	    pair->wait, monotime_ms_between(pair->made, monotime_now()));
	in = monotime_timeval(pair->wait);
	if (evtimer_add(pair->timer, &in) == -1)
		process_kill(outer, "cannot be linked again");
}

static void
on_due(evutil_socket_t fd, short what, void *argument)
{
	struct pair *pair = argument;
	struct process *inner = find_process(pair->house, pair->inner);
	struct process *outer = find_process(pair->house, pair->outer);

	(void)fd;
	(void)what;
	if (pair->house->stopping || inner == NULL || outer == NULL ||
	    !is_at_work(inner) || !is_at_work(outer) ||
	    !links_may_be(inner, outer)) {
		pair_free(pair);
		return;
	}
	pair->made = monotime_now();
	log_warn("relink program=%s instance=%u peer=%s peer-instance=%u "
		 "waited-ms=%lld",
	    program_name(inner->spec->program), pair->inner,
	    program_name(outer->spec->program), pair->outer,
	    (long long)pair->wait);
	if (links_join_two(inner, outer) == 0)
		return;
	log_error("relink-failed error=\"%s\"", strerror(errno));
	wait_again(pair, outer);
}

static bool
is_dead(const struct pair *pair)
{
	return find_process(pair->house, pair->inner) == NULL ||
	       find_process(pair->house, pair->outer) == NULL;
}

/* On the way it forgets the dead: whatever is asked, there are never more than
 * there are pairs of living processes. */
static struct pair *
find_pair(const struct process *inner, const struct process *outer)
{
	struct pair *pair, *later, *found = NULL;

	TAILQ_FOREACH_SAFE (pair, &pairs, next, later) {
		if (is_dead(pair))
			pair_free(pair);
		else if (pair->inner == inner->instance &&
			 pair->outer == outer->instance)
			found = pair;
	}
	return found;
}

static struct pair *
pair_new(const struct process *inner, const struct process *outer)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	if (pair == NULL)
		return NULL;
	pair->house = inner->house;
	pair->inner = inner->instance;
	pair->outer = outer->instance;
	TAILQ_INSERT_HEAD(&pairs, pair, next);
	pair->timer = evtimer_new(inner->house->base, on_due, pair);
	if (pair->timer != NULL)
		return pair;
	pair_free(pair);
	return NULL;
}

static void
make_request(const struct process *inner, struct process *outer)
{
	struct pair *pair = find_pair(inner, outer);

	if (pair == NULL)
		pair = pair_new(inner, outer);
	if (pair == NULL)
		process_kill(outer, "cannot be linked again");
	else if (!evtimer_pending(pair->timer, NULL))
		wait_again(pair, outer);
}

static bool
is_old_enough_to_hang(const struct process *p)
{
	return monotime_ms_between(p->started, monotime_now()) >=
	       RELINK_HANG_MS;
}

int
relink_ask(struct process *p, const struct message_peer_lost *m)
{
	enum program program = program_from_number(m->program);
	struct process *other = find_process(p->house, m->instance);

	if (!programs_are_outer_and_inner(program, p->spec->program))
		return -1;
	/* Whoever could say that of anyone could stop the house. */
	if (m->hangs != 0 &&
	    (p->spec->program != PROGRAM_QUEUE || program != PROGRAM_REMOTE))
		return -1;
	if (p->house->stopping || other == NULL ||
	    other->spec->program != program || !links_may_be(p, other))
		return 0;
	if (m->hangs != 0 && is_old_enough_to_hang(other))
		process_kill(other, "the queue says that it hangs");
	else
		make_request(p, other);
	return 0;
}
