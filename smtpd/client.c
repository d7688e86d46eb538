#include "smtpd/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/log.h"
#include "smtpd/client_address.h"
#include "smtpd/client_core.h"
#include "smtpd/client_effects.h"

/* Octets that wait to be looked at; beyond it the client's TCP waits. */
#define INPUT_MOST 65536
/* Replies that the client has not read; beyond it no command is taken. */
#define OUTPUT_MOST 16384
/* Replies that may wait for those which the router still owes. */
#define OUTPUT_HELD 4096

static void
destroy(struct client *c)
{
	session_free(&c->session);
	link_resolver_cancel(&c->lookup);
	if (c->stream != NULL)
		bufferevent_free(c->stream);
	log_debug("disconnect client=%s", c->address);
	free(c->name);
	free(c);
}

static void
client_free(struct client *c)
{
	const struct client_service *service = c->service;
	unsigned int slot = c->slot;

	destroy(c);
	service->gone(slot);
}

static size_t
output_length(struct client *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->stream));
}

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
	struct session_progress progress;
	const uint8_t *data;

	if (length > 0 && output_length(c) < OUTPUT_MOST) {
		data = evbuffer_pullup(input, -1);
		if (data == NULL)
			return -1;
		consumed = session_input(c->session, data, length);
		evbuffer_drain(input, consumed);
	}
	progress = session_progress(c->session);
	patience_note(&c->patience, monotime_now(), &progress, consumed);
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

/* -- The router and the resolver ------------------------------------------ */

static int
on_verdict(void *context, const struct message_verdict *v)
{
	struct client *c = context;

	if (session_verdict(c->session, v->number, v->id, v->code, v->reply) ==
	    -1)
		return -1;
	go_on(c);
	return 0;
}

static int
on_outcome(void *context, const struct message_outcome *o)
{
	struct client *c = context;

	if (session_outcome(c->session, o->code, o->reply) == -1)
		return -1;
	go_on(c);
	return 0;
}

static void
on_router_lost(void *context)
{
	struct client *c = context;

	session_router_lost(c->session);
	go_on(c);
}

static const struct link_router_handler router_handler = {
	.verdict = on_verdict,
	.outcome = on_outcome,
	.lost = on_router_lost,
};

static void
on_name(void *context, const char *name)
{
	struct client *c = context;

	c->lookup = NULL;
	if (name != NULL)
		c->name = strdup(name);
}

/* -- Life ----------------------------------------------------------------- */

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

struct client *
client_new(const struct client_service *service, int fd_take,
    const struct in6_addr *address, unsigned int slot, uint32_t listener)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd_take);
		return NULL;
	}
	c->service = service;
	c->slot = slot;
	c->listener = listener;
	c->exchange.handler = &router_handler;
	c->exchange.owner = c;
	patience_start(&c->patience, monotime_now());
	client_address_format(address, c->address);
	c->session = session_new(&service->rules, &client_effects, c);
	if (open_stream(c, service->base, fd_take) == -1 ||
	    c->session == NULL) {
		destroy(c);
		errno = ENOMEM;
		return NULL;
	}
	return c;
}

void
client_start(struct client *c)
{
	log_debug("connect client=%s", c->address);
	session_start(c->session, has_spoken(bufferevent_getfd(c->stream)));
	c->lookup = link_resolver_look_up(on_name, c, c->slot, c->address);
	go_on(c);
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
