#include "smtpd/listeners.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stdint.h>
#include <unistd.h>

#include "common/acceptor.h"
#include "smtpd/clients.h"

static struct {
	struct acceptor *acceptors[LIMIT_LISTENERS];
	int fds[LIMIT_LISTENERS];
	bool is_quiet;
} state;

/* When there is no room here the connections are left to other workers, or
 * wait in the kernel. */
static void
pause_all(void)
{
	for (unsigned int i = 0; i < LIMIT_LISTENERS; i++)
		if (state.acceptors[i] != NULL)
			acceptor_pause(state.acceptors[i]);
}

void
listeners_resume(void)
{
	if (state.is_quiet)
		return;
	for (unsigned int i = 0; i < LIMIT_LISTENERS; i++)
		if (state.acceptors[i] != NULL)
			acceptor_resume(state.acceptors[i]);
}

static void
on_taken(int fd_take, const struct sockaddr *from, void *context)
{
	clients_accept(fd_take, from, (uint32_t)(uintptr_t)context);
	if (!clients_have_room())
		pause_all();
}

static int
start_one(struct event_base *base, unsigned int number, int fd)
{
	int on = 1;

	/* Inherited by what is accepted. Each batch of replies is one write:
	 * waiting for more could only delay it. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	state.fds[number] = fd;
	state.acceptors[number] =
	    acceptor_new(base, fd, on_taken, (void *)(uintptr_t)number);
	return state.acceptors[number] == NULL ? -1 : 0;
}

int
listeners_start(struct event_base *base, struct child *child)
{
	for (unsigned int i = 0; i < LIMIT_LISTENERS; i++) {
		if (child->listeners[i] != -1 &&
		    start_one(base, i, child->listeners[i]) == -1)
			return -1;
		child->listeners[i] = -1;
	}
	if (child->is_quiet)
		listeners_listen(false);
	return 0;
}

void
listeners_listen(bool on)
{
	state.is_quiet = !on;
	if (!on)
		pause_all();
	else if (clients_have_room())
		listeners_resume();
}

void
listeners_stop(void)
{
	for (unsigned int i = 0; i < LIMIT_LISTENERS; i++) {
		if (state.acceptors[i] == NULL)
			continue;
		acceptor_free(&state.acceptors[i]);
		close(state.fds[i]);
	}
}
