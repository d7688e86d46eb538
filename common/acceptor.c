#include "common/acceptor.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"

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

static void
on_acceptable(evutil_socket_t listening, short what, void *argument)
{
	struct acceptor *a = argument;
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd != -1) {
		a->lacks = false;
		a->taken(fd, a->context);
	} else if (is_lack(errno))
		wait_for_better_times(a, errno);
	/* All else is the client's: it has gone again. */
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
	if (a->acceptable != NULL)
		event_free(a->acceptable);
	if (a->again != NULL)
		event_free(a->again);
	errno = ENOMEM;
out:
	free(a);
	return NULL;
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
