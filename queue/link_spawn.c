#include "queue/link_spawn.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "common/channel.h"
#include "common/child.h"
#include "common/log.h"

static struct {
	struct event_base *base;
	const struct spawn_handler *handler;
	struct channel *link;
	uint32_t instance;
} state;

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	(void)channel;
	(void)context;
	if (m->type == MESSAGE_WORKER)
		state.handler->hired(
		    m->handle, message_take_fd(m), m->worker.pid);
	else if (m->type == MESSAGE_REFUSED) {
		if (m->refused.outcome != REPORT_DEFERRED &&
		    m->refused.outcome != REPORT_FAILED)
			return -1;
		state.handler->refused(m->handle,
		    (enum report_outcome)m->refused.outcome, m->refused.reply);
	} else
		return -1;
	return 0;
}

static void
on_closed(struct channel *channel, void *context)
{
	(void)channel;
	(void)context;
	state.link = NULL; /* frees itself */
	child_peer_lost(PROGRAM_SPAWN, state.instance);
	state.handler->lost();
}

void
spawn_start(struct event_base *base, const struct spawn_handler *handler)
{
	state.base = base;
	state.handler = handler;
}

void
spawn_add(const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};

	if (state.link != NULL) {
		channel_free(&state.link);
		state.handler->lost();
	}
	state.instance = peer->instance;
	state.link = channel_new(
	    state.base, peer->fd, PROGRAM_QUEUE, PROGRAM_SPAWN, &handler, NULL);
	if (state.link == NULL) {
		log_error("spawn-not-taken error=\"%s\"", strerror(errno));
		child_peer_lost(PROGRAM_SPAWN, peer->instance);
	} else
		state.handler->ready();
}

int
spawn_hire(uint32_t number, const char *user)
{
	struct message m = MESSAGE_INIT(MESSAGE_HIRE, number);

	if (state.link == NULL)
		return -1;
	m.hire.user = user;
	return channel_send(state.link, &m);
}

void
spawn_kill(uint32_t number, uint32_t pid)
{
	struct message m = MESSAGE_INIT(MESSAGE_KILL, number);

	if (state.link == NULL)
		return;
	m.kill.pid = pid;
	if (channel_send(state.link, &m) == -1)
		log_warn("worker-not-killed pid=%" PRIu32, pid);
}
