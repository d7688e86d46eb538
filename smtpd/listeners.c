#include "smtpd/listeners.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "smtpd/clients.h"

/* Connections taken before other events have a turn. */
#define ACCEPT_TURN 8

static struct {
	struct event *events[LIMIT_LISTENERS];
	int fds[LIMIT_LISTENERS];
	struct event *retry;
} state;

static void
resume(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	for (unsigned int i = 0; i < LIMIT_LISTENERS; i++)
		if (state.events[i] != NULL)
			event_add(state.events[i], NULL);
}

/* When there is no room here the connections are left to other workers, or
 * wait in the kernel for a moment. */
static void
pause_all(void)
{
	static const struct timeval a_moment = { 0, 200000 };

	for (unsigned int i = 0; i < LIMIT_LISTENERS; i++)
		if (state.events[i] != NULL)
			event_del(state.events[i]);
	event_add(state.retry, &a_moment);
}

static bool
is_no_room(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

/* One connection; false if there is no more. */
static bool
accept_one(int listener, uint32_t number)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	int fd = accept4(listener, (struct sockaddr *)&from, &length,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd != -1) {
		clients_accept(fd, (struct sockaddr *)&from, number);
		return true;
	}
	if (is_no_room(errno)) {
		log_warn("accept-failed error=\"%s\"", strerror(errno));
		pause_all();
	}
	/* ECONNABORTED and the network's own errors are the client's. */
	return false;
}

static void
on_connection(evutil_socket_t fd, short what, void *context)
{
	uint32_t number = (uint32_t)(uintptr_t)context;
	int turn = 0;

	(void)what;
	if (!clients_have_room())
		pause_all();
	else
		while (turn++ < ACCEPT_TURN && accept_one(fd, number))
			;
}

static int
start_one(struct event_base *base, unsigned int number, int fd)
{
	int on = 1;

	/* Inherited by what is accepted. Each batch of replies is one write:
	 * waiting for more could only delay it. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (evutil_make_socket_nonblocking(fd) == -1)
		return -1;
	state.fds[number] = fd;
	state.events[number] = event_new(base, fd, EV_READ | EV_PERSIST,
	    on_connection, (void *)(uintptr_t)number);
	return state.events[number] == NULL
		   ? -1
		   : event_add(state.events[number], NULL);
}

int
listeners_start(struct event_base *base, struct child *child)
{
	state.retry = event_new(base, -1, 0, resume, NULL);
	if (state.retry == NULL)
		return -1;
	for (unsigned int i = 0; i < LIMIT_LISTENERS; i++) {
		if (child->listeners[i] != -1 &&
		    start_one(base, i, child->listeners[i]) == -1)
			return -1;
		child->listeners[i] = -1;
	}
	return 0;
}

void
listeners_stop(void)
{
	event_del(state.retry);
	for (unsigned int i = 0; i < LIMIT_LISTENERS; i++) {
		if (state.events[i] == NULL)
			continue;
		event_free(state.events[i]);
		state.events[i] = NULL;
		close(state.fds[i]);
	}
}
