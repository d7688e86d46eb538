#include "queue/drain.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/monotime.h"
#include "queue/commit.h"
#include "queue/flight.h"
#include "queue/link_router.h"
#include "queue/scheduler.h"

#define LOOK_MS 20
/* Before the supervisor loses its patience. */
#define MARGIN_MS 500

static struct {
	struct event *timer;
	bool begun;
	struct monotime deadline;
} state;

/* What is in flight then is due again at the next start: it may be delivered
 * twice, and is never lost. */
static void
end(void)
{
	commit_run();
	log_info("drained in_flight=%u", flight_count());
	exit(0);
}

static void
on_look(evutil_socket_t fd, short what, void *context)
{
	bool done =
	    flight_count() == 0 && commit_is_empty() && !router_exists();

	(void)fd;
	(void)what;
	(void)context;
	if (done || !monotime_is_before(monotime_now(), state.deadline))
		end();
}

int
drain_start(struct event_base *base)
{
	state.timer = event_new(base, -1, EV_PERSIST, on_look, NULL);
	if (state.timer != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}

void
drain_begin(uint32_t seconds)
{
	static const struct timeval period = { 0, (suseconds_t)LOOK_MS * 1000 };
	int64_t ms = (int64_t)seconds * 1000;

	if (state.begun)
		return;
	state.begun = true;
	state.deadline = monotime_add_ms(monotime_now(),
	    ms > INT64_C(2) * MARGIN_MS ? ms - MARGIN_MS : ms / 2);
	scheduler_pause(true);
	evtimer_add(state.timer, &period);
}

bool
drain_has_begun(void)
{
	return state.begun;
}
