#include "queue/turn.h"

#include <errno.h>
#include <stddef.h>

#include <event2/event.h>

static struct {
	struct event *soon;
	struct event *now;
	void (*work)(void);
} state;

static void
on_turn(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	state.work();
}

int
turn_start(struct event_base *base, void (*work)(void))
{
	state.work = work;
	state.soon = event_new(base, -1, 0, on_turn, NULL);
	state.now = event_new(base, -1, 0, on_turn, NULL);
	if (state.soon == NULL || state.now == NULL ||
	    event_priority_set(state.soon, 2) == -1 ||
	    event_priority_set(state.now, 0) == -1) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

void
turn_soon(void)
{
	event_active(state.soon, 0, 0);
}

void
turn_now(void)
{
	event_active(state.now, 0, 0);
}
