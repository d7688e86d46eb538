#include "queue/history.h"

#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/monotime.h"
#include "queue/clock.h"
#include "queue/commit.h"
#include "queue/stats.h"
#include "queue/store.h"
#include "queue/store_event.h"

/* A step writes a commit's worth of rows; there is a pause between two, so
 * that mail comes first. */
#define STEP_ROWS HISTORY_STEP_ROWS
#define STEP_LOOK 2000
#define BUSY_MS 200
#define REST_S 60
/* Mail that never ends must not keep it for ever: every ten seconds there is a
 * step all the same. */
#define WAITS_MOST 50

static struct {
	struct store *store;
	const unsigned int *seconds;
	struct event *timer;
	struct store_event_purge purge;
	unsigned int waits; /* in a row, for mail */
} state;

static void
sleep_ms(unsigned int milliseconds)
{
	struct timeval delay = monotime_timeval(milliseconds);

	evtimer_add(state.timer, &delay);
}

/* 1 if there is something to forget at the purge's place. */
static int
look(uint64_t before)
{
	int found;

	if (store_read_begin(state.store) == -1)
		return -1;
	found = store_event_purge_seek(
	    state.store, &state.purge, before, STEP_LOOK);
	store_read_end(state.store);
	return found;
}

static int
forget(uint64_t before)
{
	int forgotten;

	if (store_write_begin(state.store) == -1)
		return -1;
	forgotten =
	    store_event_purge(state.store, &state.purge, before, STEP_ROWS);
	if (forgotten == -1) {
		store_write_abort(state.store);
		return -1;
	}
	if (store_write_commit(state.store) == -1)
		return -1;
	stats.history_forgotten += (uint64_t)forgotten;
	return 0;
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	uint64_t now = clock_seconds(), before;
	int found;

	(void)fd;
	(void)what;
	(void)context;
	before = now > *state.seconds ? now - *state.seconds : 0;
	if (!commit_is_empty() && ++state.waits < WAITS_MOST) {
		sleep_ms(BUSY_MS);
		return;
	}
	state.waits = 0;
	found = look(before);
	if (found == 1)
		found = forget(before) == -1 ? -1 : 1;
	if (found == -1)
		log_error(
		    "history-not-forgotten error=\"%s\"", strerror(errno));
	/* At the start again: everything has been looked at. */
	sleep_ms(found == -1 || (found == 0 && state.purge.after == 0)
		     ? REST_S * 1000
		     : BUSY_MS);
}

int
history_start(
    struct event_base *base, struct store *store, const unsigned int *seconds)
{
	memset(&state, 0, sizeof(state));
	state.store = store;
	state.seconds = seconds;
	state.timer = evtimer_new(base, on_timer, NULL);
	if (state.timer == NULL) {
		errno = ENOMEM;
		return -1;
	}
	sleep_ms(BUSY_MS);
	return 0;
}
