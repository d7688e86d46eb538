#include "smtpd/client.h"

#include <netinet/in.h>
#include <arpa/inet.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/id.h"
#include "common/log.h"
#include "smtpd/clients.h"
#include "smtpd/intake.h"
#include "smtpd/link_resolver.h"
#include "smtpd/link_router.h"
#include "smtpd/patience.h"
#include "smtpd/reply.h"
#include "smtpd/trace.h"

/* Octets that wait to be looked at; beyond it the client's TCP waits. */
#define INPUT_MOST 65536
/* Replies that the client has not read; beyond it no command is taken. */
#define OUTPUT_MOST 16384
/* Replies that may wait for those which the router still owes. */
#define OUTPUT_HELD 4096

struct client {
	unsigned int slot;
	uint32_t listener;
	struct bufferevent *stream;
	struct session *session;
	struct exchange exchange;
	struct intake *intake;
	struct lookup *lookup; /* of the name; NULL if it is not looked up */
	char *name;	       /* NULL while it is not known */
	char address[LIMIT_ADDRESS_TEXT + 1];
	unsigned int last_code; /* of the replies */
	bool half_closed;	/* it has said its last word */
	bool closing;		/* the session has ended */
	bool broken;		/* a reply is lost */
	bool lingering;		/* all is said; wait for the client to close */

	struct patience patience;
};

static void
client_free(struct client *c)
{
	session_free(&c->session);
	link_resolver_cancel(&c->lookup);
	if (c->stream != NULL)
		bufferevent_free(c->stream);
	clients_forget(c->slot);
	log_debug("disconnect client=%s", c->address);
	free(c->name);
	free(c);
}

static size_t
output_length(struct client *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->stream));
}

/* -- The session's effects ------------------------------------------------ */

static void
on_reply(void *context, unsigned int code, const char *text)
{
	struct client *c = context;
	char reply[REPLY_SIZE];
	size_t length = reply_format(reply, sizeof(reply), code, text);

	c->last_code = code;
	/* Without memory the reply is lost, and the client with it. */
	if (bufferevent_write(c->stream, reply, length) == -1)
		c->broken = true;
}

static void
on_refused(void *context, unsigned int code, const char *text)
{
	struct client *c = context;
	const struct transaction *t = session_transaction(c->session);

	if (t != NULL && t->id != 0)
		log_info("refused id=%s client=%s helo=\"%s\" from=\"%s\" "
			 "code=%u reply=\"%s\"",
		    id_format(t->id).text, c->address,
		    log_text(session_helo(c->session)), log_text(t->sender),
		    code, log_text(text));
	else
		log_info("refused client=%s helo=\"%s\" code=%u reply=\"%s\"",
		    c->address, log_text(session_helo(c->session)), code,
		    log_text(text));
}

static int
on_open(void *context, const struct transaction *t)
{
	struct client *c = context;
	struct message_open open = {
		.client_address = c->address,
		.client_name = c->name,
		.helo = session_helo(c->session),
		.sender = t->sender,
		.protocol = (uint8_t)session_protocol(c->session),
		.body = (uint8_t)t->body,
		.declared_size = t->declared_size,
		.listener = c->listener,
	};

	return link_router_open(&c->exchange, c->slot, c, &open);
}

static void
on_recipient(void *context, uint32_t number, const char *address)
{
	struct client *c = context;

	(void)link_router_recipient(&c->exchange, number, address);
}

static int
on_content_begin(void *context, const struct transaction *t)
{
	struct client *c = context;
	char header[TRACE_SIZE];
	struct trace trace = {
		.helo = session_helo(c->session),
		.client_name = c->name != NULL ? c->name : "",
		.client_address = c->address,
		.hostname = clients_hostname(),
		.protocol = session_protocol(c->session),
		.id = t->id,
		.recipient = t->asked == 1 ? t->first : NULL,
		.time = time(NULL),
	};

	c->intake = intake_new();
	if (c->intake == NULL)
		return -1;
	return intake_add(c->intake, header, trace_format(header, &trace));
}

static int
on_content_add(void *context, const uint8_t *data, size_t length)
{
	struct client *c = context;

	return intake_add(c->intake, data, length);
}

static int
on_content_send(void *context, unsigned int hops)
{
	struct client *c = context;
	uint64_t size;
	int fd = intake_finish(c->intake, &size);

	if (fd == -1) {
		log_warn("content-failed error=\"%s\"", strerror(errno));
		return -1;
	}
	intake_free(&c->intake);
	return link_router_content(&c->exchange, fd, size, hops);
}

static void
on_end(void *context, enum session_end why)
{
	struct client *c = context;

	intake_free(&c->intake);
	if (why >= SESSION_END_RESET)
		(void)link_router_abandon(&c->exchange, why);
	link_close(&c->exchange);
}

static void
on_close(void *context)
{
	struct client *c = context;

	c->closing = true;
}

static const struct session_effects effects = {
	.reply = on_reply,
	.refused = on_refused,
	.open = on_open,
	.recipient = on_recipient,
	.content_begin = on_content_begin,
	.content_add = on_content_add,
	.content_send = on_content_send,
	.end = on_end,
	.close = on_close,
};

/* -- Octets --------------------------------------------------------------- */

/* Writes at once what the socket takes: a write event for each reply would
 * cost three system calls more. The rest goes by the event loop. False if the
 * connection is broken. */
static bool
flush(struct client *c)
{
	struct evbuffer *output = bufferevent_get_output(c->stream);
	evutil_socket_t fd = bufferevent_getfd(c->stream);
	int written;

	if (evbuffer_get_length(output) == 0)
		return true;
	if (session_turn(c->session) == SESSION_TURN_ROUTER &&
	    evbuffer_get_length(output) < OUTPUT_HELD)
		return true;
	if ((bufferevent_get_enabled(c->stream) & EV_WRITE) != 0)
		return true;
	evbuffer_unfreeze(output, 1);
	written = evbuffer_write(output, fd);
	evbuffer_freeze(output, 1);
	if (written == -1 && errno != EAGAIN && errno != EINTR)
		return false;
	if (evbuffer_get_length(output) > 0)
		return bufferevent_enable(c->stream, EV_WRITE) == 0;
	return true;
}

/* The session has ended and its last reply is sent. A client that is still
 * speaking would be answered with a reset, which may overtake the reply, so
 * it is listened to for a moment. */
static void
say_goodbye(struct client *c)
{
	bool quit = c->last_code == 221;

	if (quit || shutdown(bufferevent_getfd(c->stream), SHUT_WR) == -1) {
		client_free(c);
		return;
	}
	c->lingering = true;
}

/* Gives the session what it can take of the input. -1 without memory. */
static int
feed(struct client *c)
{
	struct evbuffer *input = bufferevent_get_input(c->stream);
	size_t length = evbuffer_get_length(input), consumed = 0;
	const uint8_t *data;

	if (length > 0 && output_length(c) < OUTPUT_MOST) {
		data = evbuffer_pullup(input, -1);
		if (data == NULL)
			return -1;
		consumed = session_input(c->session, data, length);
		evbuffer_drain(input, consumed);
	}
	patience_note(&c->patience, monotime_now(), session_turn(c->session),
	    session_commands(c->session), consumed);
	return 0;
}

/* Is there nobody to wait for: all is said, and all is heard? */
static bool
is_deserted(struct client *c)
{
	return c->half_closed && output_length(c) == 0 &&
	       session_turn(c->session) != SESSION_TURN_ROUTER;
}

/* Goes on as far as it can. Frees the client if it is done. */
static void
go_on(struct client *c)
{
	if (feed(c) == -1 || c->broken || !flush(c) || is_deserted(c))
		client_free(c);
	else if (c->closing && !c->lingering && output_length(c) == 0)
		say_goodbye(c);
}

static void
on_read(struct bufferevent *stream, void *context)
{
	(void)stream;
	go_on(context);
}

static void
on_written(struct bufferevent *stream, void *context)
{
	bufferevent_disable(stream, EV_WRITE);
	go_on(context);
}

static void
on_event(struct bufferevent *stream, short what, void *context)
{
	struct client *c = context;

	(void)stream;
	/* A client that has said its last word may still listen. What the
	 * router has in hand for it is seen through. */
	if ((what & BEV_EVENT_EOF) != 0 &&
	    session_turn(c->session) == SESSION_TURN_ROUTER) {
		c->half_closed = true;
		return;
	}
	client_free(c);
}

/* -- Life ----------------------------------------------------------------- */

static void
set_address(struct client *c, const struct sockaddr *from)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (from->sa_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		inet_ntop(
		    AF_INET, &in.sin_addr, c->address, sizeof(c->address));
		return;
	}
	memcpy(&in6, from, sizeof(in6));
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], c->address,
		    sizeof(c->address));
	else
		inet_ntop(
		    AF_INET6, &in6.sin6_addr, c->address, sizeof(c->address));
}

static int
open_stream(struct client *c, struct event_base *base, int fd_take)
{
	c->stream =
	    bufferevent_socket_new(base, fd_take, BEV_OPT_CLOSE_ON_FREE);
	if (c->stream == NULL) {
		close(fd_take);
		return -1;
	}
	bufferevent_setcb(c->stream, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->stream, EV_READ, 0, INPUT_MOST);
	bufferevent_disable(c->stream, EV_WRITE);
	return bufferevent_enable(c->stream, EV_READ);
}

/* Who speaks before the greeting is no mail client, or speaks for another. */
static bool
has_spoken(int fd)
{
	char octet;

	return recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

int
client_start(struct event_base *base, int fd_take, const struct sockaddr *from,
    unsigned int slot, uint32_t listener, const struct session_rules *rules)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd_take);
		return -1;
	}
	c->slot = slot;
	c->listener = listener;
	patience_start(&c->patience, monotime_now());
	set_address(c, from);
	c->session = session_new(rules, &effects, c);
	if (open_stream(c, base, fd_take) == -1 || c->session == NULL) {
		client_free(c);
		errno = ENOMEM;
		return -1;
	}
	clients_remember(slot, c);
	log_debug("connect client=%s", c->address);
	session_start(c->session, has_spoken(fd_take));
	c->lookup = link_resolver_look_up(c, slot, c->address);
	go_on(c);
	return 0;
}

int
client_verdict(struct client *c, const struct message_verdict *v)
{
	if (session_verdict(c->session, v->number, v->id, v->code, v->reply) ==
	    -1)
		return -1;
	go_on(c);
	return 0;
}

int
client_outcome(struct client *c, const struct message_outcome *o)
{
	if (session_outcome(c->session, o->code, o->reply) == -1)
		return -1;
	go_on(c);
	return 0;
}

void
client_router_lost(struct client *c)
{
	session_router_lost(c->session);
	go_on(c);
}

void
client_take_name(struct client *c, const char *name)
{
	c->lookup = NULL;
	if (name != NULL)
		c->name = strdup(name);
}

void
client_check_time(struct client *c, struct monotime now)
{
	if (!patience_is_over(&c->patience, now))
		return;
	if (session_turn(c->session) == SESSION_TURN_NOBODY) {
		client_free(c);
		return;
	}
	session_timeout(c->session);
	go_on(c);
}

void
client_drain(struct client *c)
{
	session_drain(c->session);
	go_on(c);
}

void
client_end(struct client *c)
{
	session_stop(c->session);
	(void)flush(c);
	client_free(c);
}
