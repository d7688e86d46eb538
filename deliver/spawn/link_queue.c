#include "deliver/spawn/link_queue.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/child.h"
#include "common/log.h"
#include "deliver/spawn/account.h"
#include "deliver/spawn/workers.h"

struct link {
	struct channel *channel;
	uint64_t number; /* never used again, so that authority ends with it */
};

static struct {
	struct event_base *base;
	struct link links[LIMIT_PEERS];
	uint64_t last_number;
	bool draining;
} state;

static int
refuse(struct channel *channel, uint32_t handle, const char *login,
    const struct result *why)
{
	struct message m = MESSAGE_INIT(MESSAGE_REFUSED, handle);

	log_warn("worker-refused user=\"%s\" outcome=%s reply=\"%s\"",
	    log_text(login), report_outcome_name(why->outcome),
	    log_text(why->reply));
	m.refused.outcome = (uint8_t)why->outcome;
	m.refused.reply = why->reply;
	(void)!channel_send(channel, &m); /* a dead link closes by itself */
	return 0;
}

static int
hire(struct link *link, uint32_t handle, const char *login)
{
	struct message m = MESSAGE_INIT(MESSAGE_WORKER, handle);
	struct result why;
	struct owner owner;
	pid_t pid;

	if (state.draining) {
		result_set(&why, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT,
		    "4.3.2 Shutting down");
		return refuse(link->channel, handle, login, &why);
	}
	if (account_find(login, &owner, &why) == -1)
		return refuse(link->channel, handle, login, &why);
	m.fd = workers_start(&owner, link->number, handle, &pid);
	if (m.fd == -1) {
		result_set_error(&why, REPORT_SCOPE_RECIPIENT, errno,
		    "Cannot start a delivery worker");
		return refuse(link->channel, handle, login, &why);
	}
	log_debug("worker-started user=\"%s\" uid=%u pid=%ld", log_text(login),
	    owner.uid, (long)pid);
	m.worker.pid = (uint32_t)pid;
	(void)!channel_send(link->channel, &m); /* if not sent, it ends */
	return 0;
}

static void
kill_worker(const struct link *link, uint32_t handle, uint32_t pid)
{
	if (workers_kill(link->number, handle, pid) == -1)
		/* It may have ended while the request was on its way. */
		log_warn("kill-refused handle=%u pid=%u error=\"%s\"", handle,
		    pid, strerror(errno));
}

static int
receive(struct channel *channel, struct message *m, void *context)
{
	struct link *link = context;

	(void)channel;
	if (m->type == MESSAGE_HIRE)
		return hire(link, m->handle, m->hire.user);
	if (m->type == MESSAGE_KILL) {
		kill_worker(link, m->handle, m->kill.pid);
		return 0;
	}
	return -1;
}

/* Its workers see end of file on their own channels and end by themselves. */
static void
closed(struct channel *channel, void *context)
{
	struct link *link = context;

	(void)channel;
	link->channel = NULL;
}

void
link_queue_begin(struct event_base *base)
{
	state.base = base;
}

static struct link *
free_link(void)
{
	for (unsigned int i = 0; i < LIMIT_PEERS; i++)
		if (state.links[i].channel == NULL)
			return &state.links[i];
	return NULL;
}

void
link_queue_open(const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = receive,
		.closed = closed,
	};
	struct link *link = free_link();

	if (peer->program != PROGRAM_QUEUE || link == NULL) {
		log_warn(
		    "peer-refused program=%s", program_name(peer->program));
		close(peer->fd);
		return;
	}
	link->number = ++state.last_number;
	link->channel = channel_new(
	    state.base, peer->fd, PROGRAM_SPAWN, PROGRAM_QUEUE, &handler, link);
	if (link->channel == NULL)
		log_warn(
		    "peer-refused program=queue error=\"%s\"", strerror(errno));
}

void
link_queue_drain(void)
{
	state.draining = true;
}
