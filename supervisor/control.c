#include "supervisor/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/string.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/log.h"
#include "supervisor/reload.h"

#define GROUP "postern"
#define BACKLOG 64
/* Enough for people and scripts; more wait in the backlog. */
#define CLIENTS 8
/* Room for the longest text of CTL_END. */
#define TEXT_SIZE (LIMIT_REPLY + 1)

struct client {
	struct channel *channel; /* NULL: free */
	bool waits;
	uint32_t handle;
};

static struct {
	struct house *house;
	struct sockaddr_un control, supervisor; /* their paths */
	int fd;
	struct event *acceptable;
	struct client clients[CLIENTS];
} state = { .fd = -1 };

static int
listen_on(struct sockaddr_un *address, const char *run, const char *name)
{
	int fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int n = snprintf(
	    address->sun_path, sizeof(address->sun_path), "%s/%s", run, name);

	address->sun_family = AF_UNIX;
	if (n < 0 || (size_t)n >= sizeof(address->sun_path))
		errno = ENAMETOOLONG;
	/* Only root can put anything there, and we hold the lock. */
	else if (fd != -1 &&
		 (unlink(address->sun_path) == 0 || errno == ENOENT) &&
		 bind(fd, (struct sockaddr *)address, sizeof(*address)) == 0 &&
		 listen(fd, BACKLOG) == 0)
		return fd;
	log_fatal(EX_CANTCREAT, "socket \"%s/%s\"", log_text(run), name);
}

/* Made under umask 077: until this, root only. */
static void
open_to_group(const char *path)
{
	const struct group *group = getgrnam(GROUP);

	if (chown(path, 0, group != NULL ? group->gr_gid : 0) == -1 ||
	    chmod(path, 0660) == -1)
		log_fatal(EX_CANTCREAT, "socket \"%s\"", log_text(path));
}

void
control_open(struct house *house, const struct config *config)
{
	house->control_fd = listen_on(&state.control, config->run, "control");
	open_to_group(state.control.sun_path);
	state.fd = listen_on(&state.supervisor, config->run, "supervisor");
	if (chmod(state.supervisor.sun_path, 0600) == -1)
		log_fatal(EX_CANTCREAT, "supervisor socket");
}

void
control_close(void)
{
	unlink(state.control.sun_path);
	unlink(state.supervisor.sun_path);
}

static void
answer(struct client *client, int code, const char *text)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_END, client->handle);
	char shortened[TEXT_SIZE];

	client->waits = false;
	strlcpy(shortened, text, sizeof(shortened));
	m.ctl_end.code = (uint8_t)code;
	m.ctl_end.text = shortened;
	if (channel_send(client->channel, &m) == -1)
		log_debug(
		    "control-answer-failed error=\"%s\"", strerror(errno));
}

static void
on_reloaded(int code, const char *text)
{
	for (unsigned int i = 0; i < CLIENTS; i++)
		if (state.clients[i].waits)
			answer(&state.clients[i], code, text);
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	struct client *client = context;

	(void)channel;
	if (m->type != MESSAGE_CTL_RELOAD || client->waits)
		return -1;
	client->handle = m->handle;
	if (reload_is_pending()) {
		answer(client, EX_TEMPFAIL, "a reload is already under way");
		return 0;
	}
	client->waits = true;
	reload_begin(state.house);
	return 0;
}

static void
on_closed(struct channel *channel, void *context)
{
	struct client *client = context;

	(void)channel;
	memset(client, 0, sizeof(*client));
	event_add(state.acceptable, NULL);
}

static struct client *
free_client(void)
{
	for (unsigned int i = 0; i < CLIENTS; i++)
		if (state.clients[i].channel == NULL)
			return &state.clients[i];
	return NULL;
}

static bool
is_root(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       peer.uid == 0;
}

static void
on_acceptable(evutil_socket_t listening, short what, void *argument)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct client *client = free_client();
	int fd;

	(void)what;
	(void)argument;
	if (client == NULL) {
		event_del(state.acceptable);
		return;
	}
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (fd == -1)
		return;
	if (!is_root(fd)) {
		close(fd);
		return;
	}
	client->channel = channel_new(state.house->base, fd, PROGRAM_SUPERVISOR,
	    PROGRAM_CTL, &handler, client);
}

int
control_start(struct house *house)
{
	state.house = house;
	reload_on_end(on_reloaded);
	state.acceptable = event_new(
	    house->base, state.fd, EV_READ | EV_PERSIST, on_acceptable, NULL);
	if (state.acceptable == NULL)
		return -1;
	return event_add(state.acceptable, NULL);
}
