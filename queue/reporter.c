#include "queue/reporter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/id.h"
#include "common/log.h"
#include "common/mail.h"
#include "common/message.h"
#include "queue/clock.h"
#include "queue/commit.h"
#include "queue/drain.h"
#include "queue/dsn_report.h"
#include "queue/errand.h"
#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/link_router.h"
#include "queue/reporter_compose.h"
#include "queue/store.h"
#include "queue/tell.h"

/* Rows of the index that one look passes over: those that are at a router, or
 * whose messages have others in flight. */
#define LOOK_ROWS 512

/* One report that is at a router. */
struct outgoing {
	struct errand errand; /* the first member: see outgoing_of() */
	struct telling *telling;
};

static struct {
	struct lifecycle *lifecycle;
	struct config *const *config;
	struct event *timer;
	struct errands out;
	bool paused;
	bool more; /* the index holds some for which there was no place */
} state;

static struct outgoing *
outgoing_of(struct errand *e)
{
	return (struct outgoing *)e;
}

bool
reporter_is_telling(uint64_t id)
{
	struct errand *e;

	TAILQ_FOREACH (e, &state.out.list, next)
		if (outgoing_of(e)->telling->id == id)
			return true;
	return false;
}

static void
look_at_once(void)
{
	static const struct timeval at_once = { 0, 0 };

	evtimer_add(state.timer, &at_once);
}

/* Ends the errand and leaves its telling. */
static struct telling *
finish(struct errand *e)
{
	struct outgoing *o = outgoing_of(e);
	struct telling *telling = o->telling;

	errand_end(&state.out, e);
	free(o);
	if (state.more && state.out.count <= REPORTER_OUT / 2) {
		state.more = false;
		look_at_once();
	}
	return telling;
}

/* -- Sending --------------------------------------------------------------- */

/* Takes the telling. */
static void
put_off(struct telling *telling, uint64_t until)
{
	if (commit_put_off(telling, until) == -1)
		free(telling);
}

/* Takes the telling, and leaves it alone if that fails. */
static int
hand_over(struct telling *telling, int fd, const struct dsn_made *made)
{
	struct outgoing *o = calloc(1, sizeof(*o));
	const struct message_inject m = {
		.address = telling->to,
		.sender = "",
		.body = made->is_8bit ? SMTP_BODY_8BITMIME : SMTP_BODY_7BIT,
		.size = made->size,
		.orcpt = "",
	};

	if (o == NULL) {
		close(fd);
		return -1;
	}
	o->telling = telling;
	if (errand_send(&state.out, &o->errand, &m, fd) == 0)
		return 0;
	free(o);
	return -1;
}

/* Takes the telling. It is made again later, or, if there is nothing to tell,
 * never. */
static void
not_made(struct telling *telling, bool nothing)
{
	if (!nothing || errno == EBADMSG)
		log_error("report-not-made id=%s error=\"%s\"",
		    id_format(telling->id).text, strerror(errno));
	put_off(telling,
	    nothing ? 0 : clock_seconds() + state.lifecycle->retry.from);
}

/* Takes the telling. False: do not go on now. */
static bool
tell(struct telling *telling)
{
	struct dsn_made made;
	int fd =
	    reporter_compose(state.lifecycle, *state.config, telling, &made);

	if (fd == -1) {
		bool nothing =
		    errno == ENOENT || errno == ENOMSG || errno == EBADMSG;

		not_made(telling, nothing);
		return nothing;
	}
	if (hand_over(telling, fd, &made) == 0)
		return true;
	free(telling);
	return false;
}

/* -- Looking --------------------------------------------------------------- */

/* What a look has found. */
struct ripe {
	struct row_place places[REPORTER_OUT];
	unsigned int count, most;
};

static bool
is_ripe(const struct row_place *p, uint64_t now)
{
	if (reporter_is_telling(p->id))
		return false;
	return !flight_exists_any(p->id) || p->time > now ||
	       p->time + TELL_IN_FLIGHT <= now;
}

static bool
has(const struct ripe *ripe, uint64_t id)
{
	for (unsigned int i = 0; i < ripe->count; i++)
		if (ripe->places[i].id == id)
			return true;
	return false;
}

/* Adds what is ripe of the rows from one time to another, both included. In a
 * read transaction. */
static void
collect(struct ripe *ripe, uint64_t begin, uint64_t end, uint64_t now)
{
	struct row_key from = row_key_report(begin, 0);
	struct store *store = state.lifecycle->store;
	struct bytes key, value;
	static bool told;
	unsigned int rows = 0;
	int found = store_seek(store, STORE_REPORT, &from, &key, &value);

	for (; found == 0 && ripe->count < ripe->most && rows < LOOK_ROWS;
	     found = store_next(store, STORE_REPORT, &key, &value)) {
		struct row_place p = { .number = 0 };

		if (row_key_report_read(key.data, key.length, &p.time, &p.id) ==
		    -1) {
			if (!told)
				log_error("report-index-damaged");
			told = true; /* it is met each time */
			continue;
		}
		if (p.time > end)
			return;
		rows++;
		if (!has(ripe, p.id) && is_ripe(&p, now))
			ripe->places[ripe->count++] = p;
	}
}

/* The end of the index too: what lies there was written before the clock was
 * set back. */
static void
collect_both_ends(struct ripe *ripe)
{
	uint64_t now = clock_seconds();

	collect(ripe, 0, now, now);
	collect(ripe, now + retry_longest(&state.lifecycle->retry) + 1,
	    UINT64_MAX, now);
}

/* A router that says nothing must not hold up reports for ever. What it was
 * given is no handle any more. */
static void
give_up_silent(void)
{
	struct errand *e;

	while ((e = errand_silent(&state.out, clock_seconds())) != NULL) {
		log_warn("report-unanswered id=%s",
		    id_format(outgoing_of(e)->telling->id).text);
		free(finish(e));
	}
}

static bool
tell_one(const struct row_place *place)
{
	struct telling *telling;

	if (reporter_is_telling(place->id))
		return true;
	telling = calloc(1, sizeof(*telling));
	if (telling == NULL)
		return false;
	telling->time = place->time;
	telling->id = place->id;
	return tell(telling);
}

static void
look(void)
{
	static const struct timeval second = { 1, 0 };
	struct store *store = state.lifecycle->store;
	struct ripe ripe = { .count = 0 };
	uint64_t rows;

	give_up_silent();
	ripe.most = REPORTER_OUT - state.out.count;
	if (store_read_begin(store) == -1) {
		log_error("report-index error=\"%s\"", strerror(errno));
		evtimer_add(state.timer, &second);
		return;
	}
	collect_both_ends(&ripe);
	state.more = ripe.count == ripe.most;
	if (store_rows(store, STORE_REPORT, &rows) == -1)
		rows = 1;
	store_read_end(store);
	for (unsigned int i = 0; i < ripe.count; i++)
		if (!tell_one(&ripe.places[i]))
			break;
	if (rows > 0)
		evtimer_add(state.timer, &second);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval second = { 1, 0 };

	(void)fd;
	(void)what;
	(void)context;
	if (drain_has_begun())
		return;
	if (router_exists() && !state.paused)
		look();
	else
		evtimer_add(state.timer, &second);
}

void
reporter_look(void)
{
	if (!state.lifecycle->reports_changed ||
	    evtimer_pending(state.timer, NULL))
		return;
	state.lifecycle->reports_changed = false;
	look_at_once();
}

void
reporter_pause(bool paused)
{
	state.paused = paused;
}

int
reporter_start(struct event_base *base, struct lifecycle *lifecycle,
    struct config *const *config)
{
	memset(&state, 0, sizeof(state));
	errands_begin(&state.out, 0);
	state.lifecycle = lifecycle;
	state.config = config;
	state.timer = evtimer_new(base, on_timer, NULL);
	if (state.timer == NULL) {
		errno = ENOMEM;
		return -1;
	}
	/* What the store has from before. */
	lifecycle->reports_changed = true;
	reporter_look();
	return 0;
}

/* -- Answers --------------------------------------------------------------- */

const struct telling *
reporter_take(const void *router, uint32_t handle, int fd, uint64_t size)
{
	struct errand *e = errand_take(&state.out, router, handle, fd, size);

	return e == NULL ? NULL : outgoing_of(e)->telling;
}

void
reporter_stored(const void *router, uint32_t handle, unsigned int code)
{
	struct errand *e = errand_find(&state.out, router, handle);
	struct telling *telling;

	if (e == NULL)
		return;
	telling = finish(e);
	if (code == 250)
		free(telling);
	else
		put_off(telling, clock_seconds() + state.lifecycle->retry.from);
}

void
reporter_unrouted(
    const void *router, uint32_t handle, unsigned int code, const char *reply)
{
	struct errand *e = errand_unrouted(&state.out, router, handle);
	struct telling *telling;

	if (e == NULL)
		return;
	telling = finish(e);
	log_warn("report-refused id=%s to=\"%s\" reply=\"%u %s\"%s",
	    id_format(telling->id).text, log_text(telling->to), code,
	    log_text(reply), telling->is_notice ? " notice=yes" : "");
	if (code / 100 != 5)
		put_off(telling, clock_seconds() + state.lifecycle->retry.from);
	else if (!telling->is_notice) {
		telling->is_notice = true;
		tell(telling);
	} else {
		log_error("report-given-up id=%s: neither the sender nor the "
			  "administrator can be told",
		    id_format(telling->id).text);
		put_off(telling, 0);
	}
}

void
reporter_router_lost(const void *router)
{
	struct errand *e;

	while ((e = errand_at(&state.out, router)) != NULL)
		free(finish(e));
}
