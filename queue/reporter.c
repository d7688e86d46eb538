#include "queue/reporter.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/id.h"
#include "common/log.h"
#include "common/mail.h"
#include "common/message.h"
#include "queue/clock.h"
#include "queue/commit.h"
#include "queue/drain.h"
#include "queue/dsn_report.h"
#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/link_router.h"
#include "queue/redirector.h"
#include "queue/reporter_compose.h"
#include "queue/store.h"
#include "queue/tell.h"

/* Rows of the index that one look passes over: those that are at a router, or
 * whose messages have others in flight. */
#define LOOK_ROWS 512

/* One report that is at a router. */
struct outgoing {
	TAILQ_ENTRY(outgoing) next;
	const void *router;
	uint32_t handle;
	struct stat content; /* which file it was */
	bool taken;
	uint64_t since; /* in seconds */
	struct telling *telling;
};

static struct {
	struct lifecycle *lifecycle;
	struct config *const *config;
	struct event *timer;
	TAILQ_HEAD(, outgoing) list;
	unsigned int count;
	bool paused;
	uint32_t last_handle;
} state;

static struct outgoing *
find(const void *router, uint32_t handle)
{
	struct outgoing *o;

	TAILQ_FOREACH (o, &state.list, next)
		if (o->router == router && o->handle == handle)
			return o;
	return NULL;
}

bool
reporter_is_telling(uint64_t id)
{
	struct outgoing *o;

	TAILQ_FOREACH (o, &state.list, next)
		if (o->telling->id == id)
			return true;
	return false;
}

static void
outgoing_free(struct outgoing *o)
{
	TAILQ_REMOVE(&state.list, o, next);
	state.count--;
	free(o->telling);
	free(o);
}

/* -- Sending --------------------------------------------------------------- */

/* Takes the telling. */
static void
put_off(struct telling *telling, uint64_t until)
{
	if (commit_put_off(telling, until) == -1)
		free(telling);
}

static int
hand_over(struct outgoing *o, int fd, const struct dsn_made *made)
{
	const struct message_inject m = {
		.address = o->telling->to,
		.sender = "",
		.body = made->is_8bit ? SMTP_BODY_8BITMIME : SMTP_BODY_7BIT,
		.size = made->size,
		.orcpt = "",
	};

	if (fstat(fd, &o->content) == -1) {
		close(fd);
		return -1;
	}
	state.last_handle = (state.last_handle + 1) % REDIRECTOR_HANDLE;
	if (state.last_handle == 0)
		state.last_handle = 1;
	o->handle = state.last_handle;
	o->since = clock_seconds();
	o->router = router_inject(o->handle, &m, fd);
	return o->router == NULL ? -1 : 0;
}

/* Takes the telling. False: do not go on now. */
static bool
tell(struct telling *telling)
{
	struct outgoing *o = calloc(1, sizeof(*o));
	struct dsn_made made;
	int fd = -1;

	if (o != NULL)
		fd = reporter_compose(
		    state.lifecycle, *state.config, telling, &made);
	if (fd == -1) {
		bool damaged = errno == EBADMSG;
		bool nothing = o != NULL &&
			       (errno == ENOENT || errno == ENOMSG || damaged);

		if (!nothing || damaged)
			log_error("report-not-made id=%s error=\"%s\"",
			    id_format(telling->id).text, strerror(errno));
		free(o);
		put_off(telling,
		    nothing ? 0
			    : clock_seconds() + state.lifecycle->retry.from);
		return nothing;
	}
	o->telling = telling;
	TAILQ_INSERT_TAIL(&state.list, o, next);
	state.count++;
	if (hand_over(o, fd, &made) == 0)
		return true;
	outgoing_free(o);
	return false;
}

/* -- Looking --------------------------------------------------------------- */

static bool
is_ripe(uint64_t time, uint64_t id, uint64_t now)
{
	if (reporter_is_telling(id))
		return false;
	/* A time that lies far ahead was written before the clock was set
	 * back. */
	if (time > now && time - now <= retry_longest(&state.lifecycle->retry))
		return false;
	return !flight_exists_any(id) || time + TELL_IN_FLIGHT <= now;
}

/* In a read transaction. Returns how many there are. */
static unsigned int
collect(struct row_place *ripe, unsigned int most, bool *any)
{
	struct row_key from = { .length = 1 };
	struct store *store = state.lifecycle->store;
	uint64_t now = clock_seconds();
	struct bytes key, value;
	unsigned int count = 0, rows = 0;
	int found = store_seek(store, STORE_REPORT, &from, &key, &value);

	*any = found == 0;
	for (; found == 0 && count < most && rows < LOOK_ROWS; rows++) {
		struct row_place p = { .number = 0 };

		if (row_key_report_read(key.data, key.length, &p.time, &p.id) ==
		    0) {
			bool twice = count > 0 && ripe[count - 1].id == p.id;

			if (!twice && is_ripe(p.time, p.id, now))
				ripe[count++] = p;
		}
		found = store_next(store, STORE_REPORT, &key, &value);
	}
	return count;
}

/* A router that says nothing must not hold up reports for ever. What it was
 * given is no handle any more. */
static void
give_up_silent(uint64_t now)
{
	struct outgoing *o, *following;

	TAILQ_FOREACH_SAFE (o, &state.list, next, following)
		if (!o->taken && now >= o->since + REPORTER_ANSWER) {
			log_warn("report-unanswered id=%s",
			    id_format(o->telling->id).text);
			outgoing_free(o);
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
	struct row_place ripe[REPORTER_OUT];
	unsigned int count;
	bool any;

	give_up_silent(clock_seconds());
	if (store_read_begin(state.lifecycle->store) == -1) {
		log_error("report-index error=\"%s\"", strerror(errno));
		evtimer_add(state.timer, &second);
		return;
	}
	count = collect(ripe, REPORTER_OUT - state.count, &any);
	store_read_end(state.lifecycle->store);
	for (unsigned int i = 0; i < count; i++)
		if (!tell_one(&ripe[i]))
			break;
	if (any)
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
	static const struct timeval at_once = { 0, 0 };

	if (!state.lifecycle->reports_changed ||
	    evtimer_pending(state.timer, NULL))
		return;
	state.lifecycle->reports_changed = false;
	evtimer_add(state.timer, &at_once);
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
	TAILQ_INIT(&state.list);
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
	struct outgoing *o = find(router, handle);
	struct stat st;

	if (o == NULL || o->taken || fstat(fd, &st) == -1 ||
	    st.st_dev != o->content.st_dev || st.st_ino != o->content.st_ino ||
	    (uint64_t)st.st_size != size)
		return NULL;
	o->taken = true;
	return o->telling;
}

/* Frees it, and leaves its telling. */
static struct telling *
finish(struct outgoing *o)
{
	struct telling *telling = o->telling;

	o->telling = NULL;
	outgoing_free(o);
	return telling;
}

void
reporter_stored(const void *router, uint32_t handle, unsigned int code)
{
	struct outgoing *o = find(router, handle);
	struct telling *telling;

	if (o == NULL)
		return;
	telling = finish(o);
	if (code == 250)
		free(telling);
	else
		put_off(telling, clock_seconds() + state.lifecycle->retry.from);
}

void
reporter_unrouted(
    const void *router, uint32_t handle, unsigned int code, const char *reply)
{
	struct outgoing *o = find(router, handle);
	struct telling *telling;

	if (o == NULL || o->taken) {
		log_warn("late peer=router message=UNROUTED");
		return;
	}
	telling = finish(o);
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
	struct outgoing *o, *following;

	TAILQ_FOREACH_SAFE (o, &state.list, next, following)
		if (o->router == router)
			outgoing_free(o);
}
