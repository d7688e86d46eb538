#include "queue/link_control.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/acceptor.h"
#include "common/log.h"
#include "queue/control_client.h"
#include "queue/control_peer.h"

static void on_left(void);

static struct control_door door = {
	.name = "control",
	.most = CONTROL_CLIENTS,
	.idle_ms = 30000,
	.left = on_left,
};

static struct acceptor *acceptor;

static void
on_left(void)
{
	acceptor_resume(acceptor);
}

static int
take(int fd_take)
{
	struct control_peer who;

	if (control_peer_read(fd_take, &who) == -1) {
		close(fd_take);
		return -1;
	}
	return control_client_add(&door, fd_take, &who);
}

static void
on_taken(int fd, const struct sockaddr *from, void *context)
{
	(void)from;
	(void)context;
	if (take(fd) == -1)
		log_warn("control-client error=\"%s\"", strerror(errno));
	if (door.count == door.most)
		acceptor_pause(acceptor);
}

void
control_start(struct event_base *base, int listener_fd)
{
	acceptor = acceptor_new(base, listener_fd, on_taken, NULL);
	if (acceptor == NULL)
		log_fatal(EX_OSERR, "control socket");
}
