#include "deliver/remote/room.h"

#include <sysexits.h>

#include <event2/event.h>

#include "common/limits.h"
#include "common/log.h"

static struct {
	struct event *event;
	void (*announced)(void);
	unsigned int taken;
} state;

static void
on_event(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	state.announced();
}

void
room_init(struct event_base *base, void (*announced)(void))
{
	state.announced = announced;
	state.event = event_new(base, -1, 0, on_event, NULL);
	if (state.event == NULL)
		log_fatal(EX_OSERR, "event");
}

bool
room_is_left(void)
{
	return state.taken < LIMIT_CONNECTIONS;
}

void
room_take(void)
{
	state.taken++;
}

void
room_give_back(void)
{
	state.taken--;
	room_announce();
}

void
room_announce(void)
{
	event_active(state.event, 0, 0);
}
