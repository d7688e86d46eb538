#include "supervisor/requests.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/string.h>
#include <event2/event.h>

#include "common/acceptor.h"
#include "common/channel.h"
#include "common/log.h"
#include "supervisor/quiet.h"
#include "supervisor/reload.h"

/* Enough for people and scripts; more wait in the backlog. */
#define CLIENTS 8
/* Without a question, before it asks or after its answer: whoever comes here
 * has one. Well below the time after which posternctl gives up. */
static const struct timeval idle_most = { 10, 0 };
/* Room for the longest text of CTL_END. */
#define TEXT_SIZE (LIMIT_REPLY + 1)

struct client {
	struct channel *channel; /* NULL: free */
	struct event *idle;	 /* runs unless the client waits */
	bool waits;
	uint32_t handle;
};

static struct {
	struct house *house;
	struct acceptor *acceptor;
	struct client clients[CLIENTS];
} state;

static void
answer(struct client *client, int code, uint64_t count, const char *text)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_END, client->handle);
	char shortened[TEXT_SIZE];

	client->waits = false;
	evtimer_add(client->idle, &idle_most);
	strlcpy(shortened, text, sizeof(shortened));
	m.ctl_end.code = (uint8_t)code;
	m.ctl_end.count = count;
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
			answer(&state.clients[i], code, 0, text);
}

static void
on_reload(struct client *client)
{
	if (reload_is_pending()) {
		answer(client, EX_TEMPFAIL, 0, "a reload is already under way");
		return;
	}
	client->waits = true;
	evtimer_del(client->idle);
	reload_begin(state.house);
}

static int
on_listening(struct client *client, const struct message_ctl_listening *q)
{
	int result;

	if (q->resume > 1)
		return -1;
	result = quiet_set(state.house, q->resume == 0);
	if (result == -1)
		answer(client, EX_OSERR, 0, strerror(errno));
	else
		answer(client, EX_OK, (uint64_t)result, "");
	return 0;
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	struct client *client = context;

	(void)channel;
	if (client->waits)
		return -1;
	client->handle = m->handle;
	if (m->type == MESSAGE_CTL_LISTENING)
		return on_listening(client, &m->ctl_listening);
	if (m->type != MESSAGE_CTL_RELOAD)
		return -1;
	on_reload(client);
	return 0;
}

/* All but the channel. */
static void
let_go(struct client *client)
{
	client->channel = NULL;
	client->waits = false;
	evtimer_del(client->idle);
	acceptor_resume(state.acceptor);
}

static void
on_closed(struct channel *channel, void *context)
{
	(void)channel;
	let_go(context);
}

static void
on_idle(evutil_socket_t fd, short what, void *context)
{
	struct client *client = context;

	(void)fd;
	(void)what;
	log_info("control-drop reason=idle");
	channel_free(&client->channel);
	let_go(client);
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

/* Pauses when the last place is taken, so that there is one here. */
static void
on_taken(int fd, const struct sockaddr *from, void *context)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct client *client = free_client();

	(void)from;
	(void)context;
	if (client == NULL || !is_root(fd)) {
		close(fd);
		return;
	}
	client->channel = channel_new(state.house->base, fd, PROGRAM_SUPERVISOR,
	    PROGRAM_CTL, &handler, client);
	if (client->channel == NULL)
		log_warn("control-client error=\"%s\"", strerror(errno));
	else
		evtimer_add(client->idle, &idle_most);
	if (free_client() == NULL)
		acceptor_pause(state.acceptor);
}

int
requests_start(struct house *house, int listening)
{
	state.house = house;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *client = &state.clients[i];

		client->idle = evtimer_new(house->base, on_idle, client);
		if (client->idle == NULL)
			return -1;
	}
	reload_on_end(on_reloaded);
	state.acceptor = acceptor_new(house->base, listening, on_taken, NULL);
	return state.acceptor == NULL ? -1 : 0;
}
