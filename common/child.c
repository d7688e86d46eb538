#include "common/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/unistd.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/config_load.h"
#include "common/log.h"
#include "common/message.h"
#include "common/record.h"

#define SUPERVISOR_FD 3

static struct {
	struct child *child;
	const struct child_handler *handler;
	struct channel *supervisor;
} state;

static struct config *
read_config(struct message *m)
{
	struct config *config = config_load_fd(m->fd, m->config.path, stderr);

	if (config == NULL)
		log_warn(
		    "config-refused path=\"%s\"", log_text(m->config.path));
	return config;
}

static void
use_log(struct message *m)
{
	log_open(message_take_fd(m),
	    m->log.form == LOG_FORM_SYSLOG ? LOG_FORM_SYSLOG : LOG_FORM_STDERR,
	    m->log.verbose != 0);
}

static int
read_peer(struct message *m, struct child_peer *peer)
{
	peer->program = program_from_number(m->peer.program);
	if (peer->program == PROGRAM_NONE)
		return -1;
	peer->instance = m->peer.instance;
	peer->generation = m->peer.generation;
	peer->fd = message_take_fd(m);
	return 0;
}

static int
take_early_peer(struct child *child, struct message *m)
{
	if (child->peer_count >= LIMIT_PEERS)
		return -1;
	return read_peer(m, &child->peers[child->peer_count++]);
}

static int
take_listener(struct child *child, struct message *m)
{
	uint32_t number = m->listener.number;

	if (number >= LIMIT_LISTENERS || child->listeners[number] != -1)
		return -1;
	child->listeners[number] = message_take_fd(m);
	return 0;
}

/* One message before START. */
static int
take_early(struct child *child, struct message *m)
{
	if (m->type == MESSAGE_LOG)
		use_log(m);
	else if (m->type == MESSAGE_CONFIG && child->config == NULL) {
		child->config = read_config(m);
		return child->config == NULL ? -1 : 0;
	} else if (m->type == MESSAGE_PEER)
		return take_early_peer(child, m);
	else if (m->type == MESSAGE_LISTENER)
		return take_listener(child, m);
	else if (m->type == MESSAGE_START) {
		child->instance = m->start.instance;
		child->generation = m->start.generation;
	} else
		return -1;
	return 0;
}

void
child_begin(struct child *child, enum program program)
{
	static uint8_t record[LIMIT_RECORD];
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);

	memset(child, 0, sizeof(*child));
	child->program = program;
	for (int i = 0; i < LIMIT_LISTENERS; i++)
		child->listeners[i] = -1;
	log_program(program);
	signal(SIGPIPE, SIG_IGN);
	while (m.type != MESSAGE_START) {
		int got = record_read(
		    SUPERVISOR_FD, record, &m, program, PROGRAM_SUPERVISOR, 0);

		if (got == -1 && (errno == EBADF || errno == ENOTSOCK)) {
			errno = 0;
			log_fatal(EX_USAGE,
			    "%s is started by postern, not by hand",
			    program_name(program));
		}
		if (got == -1)
			log_fatal(EX_PROTOCOL, "supervisor channel");
		if (got == 0)
			exit(0);
		if (take_early(child, &m) == -1) {
			errno = 0;
			log_fatal(EX_PROTOCOL, "start contract broken at %s",
			    message_type_name(m.type));
		}
		if (m.fd != -1)
			close(message_take_fd(&m));
	}
	if (child->config == NULL)
		log_fatal(EX_PROTOCOL, "started without a configuration");
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	const struct child_handler *handler = state.handler;
	struct child_peer peer;
	struct config *config;

	(void)channel;
	(void)context;
	if (m->type == MESSAGE_LOG)
		use_log(m);
	else if (m->type == MESSAGE_PEER) {
		if (read_peer(m, &peer) == -1)
			return -1;
		handler->peer(&peer);
	} else if (m->type == MESSAGE_DRAIN)
		handler->drain(m->drain.seconds);
	else if (m->type == MESSAGE_CONFIG && handler->reconfigure != NULL) {
		config = read_config(m);
		if (config != NULL)
			handler->reconfigure(config);
	} else if (m->type == MESSAGE_LOGIN && handler->login != NULL)
		handler->login(m->login.uid, m->login.login);
	else
		return -1;
	return 0;
}

static void
on_closed(struct channel *channel, void *context)
{
	(void)channel;
	(void)context;
	_exit(0);
}

static void
on_log_lost(uint32_t lines)
{
	struct message m = MESSAGE_INIT(MESSAGE_LOG_LOST, 0);

	m.log_lost.lines = lines;
	(void)!channel_send(state.supervisor, &m);
}

static void
tell_of_peer(enum program program, uint32_t instance, bool hangs)
{
	struct message m = MESSAGE_INIT(MESSAGE_PEER_LOST, 0);

	m.peer_lost.program = (uint16_t)program;
	m.peer_lost.instance = instance;
	m.peer_lost.hangs = hangs;
	if (channel_send(state.supervisor, &m) == -1)
		log_warn("peer-loss-untold peer=%s instance=%u error=\"%s\"",
		    program_name(program), instance, strerror(errno));
}

void
child_peer_lost(enum program program, uint32_t instance)
{
	tell_of_peer(program, instance, false);
}

void
child_peer_hangs(enum program program, uint32_t instance)
{
	tell_of_peer(program, instance, true);
}

int
child_ask_login(uint32_t uid)
{
	struct message m = MESSAGE_INIT(MESSAGE_WHO, 0);

	m.who.uid = uid;
	return channel_send(state.supervisor, &m);
}

void
child_run(struct child *child, struct event_base *base,
    const struct child_handler *handler)
{
	static const struct channel_handler channel_handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct message ready = MESSAGE_INIT(MESSAGE_READY, 0);

	state.child = child;
	state.handler = handler;
	state.supervisor = channel_new(base, SUPERVISOR_FD, child->program,
	    PROGRAM_SUPERVISOR, &channel_handler, NULL);
	if (state.supervisor == NULL)
		log_fatal(EX_OSERR, "supervisor channel");
	log_on_lost(on_log_lost);
	for (unsigned int i = 0; i < child->peer_count; i++)
		handler->peer(&child->peers[i]);
	child->peer_count = 0;
	ready.ready.instance = child->instance;
	if (channel_send(state.supervisor, &ready) == -1)
		log_fatal(EX_OSERR, "ready");
}
