#include "common/acceptor.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"

/* Connections taken before other events have a turn. */
#define ACCEPT_TURN 8

struct acceptor {
	struct event *acceptable, *again;
	acceptor_taken *taken;
	void *context;
	bool paused;
	bool lacks; /* the last time it could not: it has been logged */
};

static bool
is_lack(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

static void
wait_for_better_times(struct acceptor *a, int error)
{
	static const struct timeval a_moment = { 0, 200000 };

	if (!a->lacks)
		log_warn("accept-failed error=\"%s\"", strerror(error));
	a->lacks = true;
	event_del(a->acceptable);
	event_add(a->again, &a_moment);
}

/* One connection; false if no other is to be taken now. */
static bool
accept_one(struct acceptor *a, int listening)
{
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(from);
	int fd = accept4(listening, (struct sockaddr *)&from, &length,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd != -1) {
		a->lacks = false;
		a->taken(fd, (struct sockaddr *)&from, a->context);
		return !a->paused;
	}
	if (is_lack(errno))
		wait_for_better_times(a, errno);
	/* All else is the client's, which has gone again, or another process
	 * was faster. */
	return false;
}

static void
on_acceptable(evutil_socket_t listening, short what, void *argument)
{
	int turn = 0;

	(void)what;
	while (turn++ < ACCEPT_TURN && accept_one(argument, listening))
		;
}

static void
on_again(evutil_socket_t fd, short what, void *argument)
{
	struct acceptor *a = argument;

	(void)fd;
	(void)what;
	if (!a->paused)
		event_add(a->acceptable, NULL);
}

struct acceptor *
acceptor_new(
    struct event_base *base, int fd, acceptor_taken *taken, void *context)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	if (a == NULL || evutil_make_socket_nonblocking(fd) == -1)
		goto out;
	a->taken = taken;
	a->context = context;
	a->acceptable =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_acceptable, a);
	a->again = event_new(base, -1, 0, on_again, a);
	if (a->acceptable != NULL && a->again != NULL &&
	    event_add(a->acceptable, NULL) == 0)
		return a;
	errno = ENOMEM;
out:
	acceptor_free(&a);
	return NULL;
}

void
acceptor_free(struct acceptor **pointer)
{
	struct acceptor *a = *pointer;

	*pointer = NULL;
	if (a == NULL)
		return;
	if (a->acceptable != NULL)
		event_free(a->acceptable);
	if (a->again != NULL)
		event_free(a->again);
	free(a);
}

void
acceptor_pause(struct acceptor *a)
{
	a->paused = true;
	event_del(a->acceptable);
}

void
acceptor_resume(struct acceptor *a)
{
	a->paused = false;
	/* The timer does it, if that is what it waits for. */
	if (!evtimer_pending(a->again, NULL))
		event_add(a->acceptable, NULL);
}
