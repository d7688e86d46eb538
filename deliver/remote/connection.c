#include "deliver/remote/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/log.h"
#include "deliver/remote/bad_address.h"
#include "deliver/remote/outgoing.h"
#include "deliver/remote/patience.h"
#include "deliver/remote/pool.h"
#include "deliver/remote/priority.h"
#include "deliver/remote/room.h"

/* RFC 5321 has no figure for this; the kernel's minutes are too long while
 * other addresses wait to be tried. */
#define CONNECT_SECONDS 30

/* Replies that wait to be looked at. */
#define INPUT_HIGH 16384

struct connection {
	struct pool_entry pool;
	struct endpoint endpoint;
	struct endpoint_host host;
	struct bufferevent *bev;
	struct event *timer;
	struct session *session;
	bool connected, greeted;
	int connect_error;     /* known before the first event */
	unsigned int messages; /* that were begun */
	struct monotime opened;
	struct patience patience;
	struct outgoing outgoing;

	/* The message, if any. */
	const struct connection_user *user;
	void *context;
	struct transaction *transaction;
	bool reused; /* it is not the first one here */
	bool begun;  /* the session has it */

	bool leaving; /* without a message, only to say goodbye */
};

static struct {
	struct event_base *base;
	const char *hostname;
} state;

static void on_read(struct bufferevent *, void *);
static void on_write(struct bufferevent *, void *);
static void on_event(struct bufferevent *, short, void *);
static void on_timer(evutil_socket_t, short, void *);
static bool handle(struct connection *, enum session_effect);

void
connection_init(
    struct event_base *base, const char *hostname, void (*room)(void))
{
	state.base = base;
	state.hostname = hostname;
	pool_init();
	room_init(base, room);
}

static void
connection_free(struct connection *c)
{
	pool_remove(&c->pool);
	if (c->bev != NULL)
		bufferevent_free(c->bev);
	if (c->timer != NULL)
		event_free(c->timer);
	session_free(&c->session);
	free(c);
	room_give_back();
}

/* What the host has taken of the content. Nothing else that it takes brings
 * the session forward. */
static uint64_t
content_taken(const struct connection *c)
{
	if (session_state(c->session) != SESSION_CONTENT)
		return 0;
	return outgoing_taken(&c->outgoing, bufferevent_get_output(c->bev));
}

static bool
is_moved(const struct connection *c)
{
	return patience_is_moved(
	    &c->patience, session_steps(c->session), content_taken(c));
}

/* Begins a new wait, as long as the state that the session is in allows. */
static void
set_timer(struct connection *c)
{
	unsigned int seconds =
	    c->connected ? session_timeout(c->session) : CONNECT_SECONDS;
	struct timeval tv;
	int64_t wait;

	if (session_state(c->session) == SESSION_DOT)
		patience_end(&c->patience);
	wait = patience_wait(&c->patience, session_steps(c->session),
	    content_taken(c), seconds, monotime_now());
	tv = monotime_timeval(wait);
	event_add(c->timer, &tv);
}

struct connection *
connection_take_idle(const char *key)
{
	struct connection *c = pool_find(key);

	if (c != NULL)
		pool_remove(&c->pool);
	return c;
}

/* Says QUIT as far as the socket takes it, and waits for nothing. */
static void
say_quit(struct connection *c)
{
	struct evbuffer *output = bufferevent_get_output(c->bev);

	session_quit(c->session);
	if (session_state(c->session) != SESSION_QUIT ||
	    outgoing_fill(&c->outgoing, c->session, output) == -1)
		return;
	/* It is the bufferevent's to write, were there time for that. */
	if (evbuffer_unfreeze(output, 1) == 0)
		(void)evbuffer_write(output, bufferevent_getfd(c->bev));
}

bool
connection_has_room(void)
{
	struct connection *idle;

	if (!room_is_left() && (idle = pool_oldest()) != NULL) {
		say_quit(idle);
		connection_free(idle);
	}
	return room_is_left();
}

static int
start_connect(struct connection *c, enum route_kind kind)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_sockaddr(&c->endpoint, &address);

	c->bev = bufferevent_socket_new(state.base, -1, BEV_OPT_CLOSE_ON_FREE);
	c->timer = event_new(state.base, -1, 0, on_timer, c);
	c->session = session_new(state.hostname, kind);
	if (c->bev == NULL || c->timer == NULL || c->session == NULL)
		return -1;
	bufferevent_setwatermark(c->bev, EV_READ, 0, INPUT_HIGH);
	bufferevent_setwatermark(c->bev, EV_WRITE, OUTGOING_LOW, 0);
	if (bufferevent_socket_connect(
		c->bev, (struct sockaddr *)&address, (int)length) == -1) {
		/* The system refuses at once: no route, no IPv6. */
		c->connect_error = errno;
		event_active(c->timer, EV_TIMEOUT, 0);
	} else
		set_timer(c);
	/* Only now: a refusal must not call back from in here. */
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	return 0;
}

struct connection *
connection_open(const char *key, enum route_kind kind,
    const struct endpoint *endpoint, const char *host)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	room_take();
	c->opened = monotime_now();
	c->pool.connection = c;
	strlcpy(c->pool.key, key, sizeof(c->pool.key));
	c->endpoint = *endpoint;
	endpoint_describe(endpoint, host, &c->host);
	if (start_connect(c, kind) == -1) {
		connection_free(c);
		return NULL;
	}
	log_debug("connect host=\"%s\"", log_text(c->host.text));
	return c;
}

static void
on_settled(void *argument, unsigned int recipient, enum report_outcome outcome,
    enum report_scope scope, const char *reply)
{
	struct connection *c = argument;

	c->user->settled(
	    c->context, recipient, outcome, scope, &c->host, reply);
}

static bool
is_ready(const struct connection *c)
{
	return c->greeted && session_state(c->session) == SESSION_READY;
}

void
connection_send(struct connection *c, struct transaction *t, int content,
    const struct connection_user *user, void *context)
{
	assert(c->user == NULL);
	c->user = user;
	c->context = context;
	c->transaction = t;
	/* It fails at what waits to be handled: that is no matter. */
	(void)bufferevent_priority_set(
	    c->bev, t->fresh ? PRIORITY_FRESH : PRIORITY_OTHER);
	outgoing_begin(&c->outgoing, content, t->size);
	patience_begin(&c->patience, monotime_now());
	c->reused = c->messages > 0;
	c->begun = false;
	/* From the event loop, so that nothing ends within this call. */
	if (is_ready(c))
		bufferevent_trigger(c->bev, EV_WRITE,
		    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void
connection_abandon(struct connection **pointer)
{
	struct connection *c = *pointer;

	*pointer = NULL;
	if (c != NULL)
		connection_free(c);
}

/* The session is over; the user, if any, is told. */
static void
tell(struct connection *c, const struct session_end *end)
{
	const struct connection_user *user = c->user;
	bool stale =
	    c->reused &&
	    (end->kind == SESSION_END_LOST || end->kind == SESSION_END_QUIT) &&
	    (!c->begun || !session_mail_accepted(c->session));

	log_debug("end host=\"%s\" messages=%u reason=\"%s\"",
	    log_text(c->host.text), c->messages, log_text(end->reason));
	/* A host that was never heard of comes last next time. */
	if (!c->greeted && end->kind == SESSION_END_LOST)
		bad_address_add(&c->endpoint, monotime_now());
	c->user = NULL;
	c->transaction = NULL;
	if (user != NULL)
		user->ended(c->context, end, &c->host, stale);
}

static void
finish(struct connection *c, const struct session_end *end)
{
	tell(c, end);
	log_debug("disconnect host=\"%s\"", log_text(c->host.text));
	connection_free(c);
}

static void
fail_connect(struct connection *c, const char *reason)
{
	char text[256];
	struct session_end end = { SESSION_END_LOST, REPORT_SCOPE_DESTINATION,
		text };

	strlcpy(text, "4.4.1 connect: ", sizeof(text));
	strlcat(text, reason, sizeof(text));
	finish(c, &end);
}

/* Sends what is to be sent, and waits for what comes. This and those below
 * return false if the connection is gone afterwards. */
static bool
proceed(struct connection *c)
{
	if (outgoing_fill(
		&c->outgoing, c->session, bufferevent_get_output(c->bev)) == -1)
		return handle(c, session_lost(c->session, strerror(errno)));
	if (!c->leaving && is_moved(c))
		set_timer(c);
	return true;
}

/* Says goodbye, for which there is one short wait, whatever the host says.
 * Nobody's message waits for that, nor for the room that it takes: it is in the
 * pool, under a name that nobody asks for, and so closed like an idle one. */
static bool
leave(struct connection *c)
{
	patience_end(&c->patience);
	set_timer(c);
	c->leaving = true;
	c->pool.key[0] = '\0';
	pool_put(&c->pool);
	room_announce();
	return proceed(c);
}

static bool
has_served(const struct connection *c)
{
	return c->messages >= LIMIT_MESSAGES_A_CONNECTION ||
	       monotime_ms_between(c->opened, monotime_now()) >=
		   LIMIT_CONNECTION_SECONDS * INT64_C(1000);
}

/* The message is over. Octets after the last reply are no reply to anything:
 * such a connection is not used again. */
static bool
release(struct connection *c)
{
	const struct connection_user *user = c->user;
	void *context = c->context;
	struct evbuffer *input = bufferevent_get_input(c->bev);
	bool there;

	c->user = NULL;
	c->transaction = NULL;
	patience_end(&c->patience);
	if (has_served(c) || evbuffer_get_length(input) > 0) {
		session_quit(c->session);
		there = leave(c);
	} else {
		pool_put(&c->pool);
		room_announce();
		there = proceed(c);
	}
	user->done(context);
	return there;
}

static bool
begin(struct connection *c)
{
	c->messages++;
	c->begun = true;
	return handle(
	    c, session_begin(c->session, c->transaction, on_settled, c));
}

/* Does what an effect asks for. */
static bool
handle(struct connection *c, enum session_effect effect)
{
	switch (effect) {
	case SESSION_NOTHING:
	case SESSION_SEND_CONTENT:
		return proceed(c);
	case SESSION_GREETED:
		c->greeted = true;
		bad_address_forget(&c->endpoint);
		return begin(c);
	case SESSION_DONE:
		return release(c);
	case SESSION_ENDED:
		break;
	}
	if (session_state(c->session) != SESSION_DEAD) {
		tell(c, session_end(c->session));
		return leave(c);
	}
	finish(c, session_end(c->session));
	return false;
}

static void
on_read(struct bufferevent *bev, void *argument)
{
	struct connection *c = argument;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t length, used;
	bool there = true;

	while (there && (length = evbuffer_get_contiguous_space(input)) > 0) {
		const char *data =
		    (const char *)evbuffer_pullup(input, (ev_ssize_t)length);
		enum session_effect effect =
		    session_feed(c->session, data, length, &used);

		evbuffer_drain(input, used);
		there = handle(c, effect);
	}
}

static void
on_write(struct bufferevent *bev, void *argument)
{
	struct connection *c = argument;

	if (!c->connected)
		return;
	if (c->user != NULL && is_ready(c)) {
		begin(c);
		return;
	}
	if (outgoing_is_through(&c->outgoing, bufferevent_get_output(bev)))
		session_content_sent(c->session);
	if (session_state(c->session) != SESSION_READY)
		proceed(c);
}

static void
on_connected(struct connection *c)
{
	int on = 1;

	c->connected = true;
	/* Each write of ours is a whole thing to say; nothing follows it that
	 * would be worth waiting for. */
	(void)setsockopt(bufferevent_getfd(c->bev), IPPROTO_TCP, TCP_NODELAY,
	    &on, sizeof(on));
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	set_timer(c);
}

/* Writing failed: what the host said before it closed is worth knowing. */
static enum session_effect
read_last_words(struct connection *c)
{
	char words[4096];
	size_t used;
	ssize_t n =
	    recv(bufferevent_getfd(c->bev), words, sizeof(words), MSG_DONTWAIT);

	if (n <= 0)
		return SESSION_NOTHING;
	return session_feed(c->session, words, (size_t)n, &used);
}

static void
on_event(struct bufferevent *bev, short what, void *argument)
{
	struct connection *c = argument;
	int error = EVUTIL_SOCKET_ERROR();
	const char *reason =
	    (what & BEV_EVENT_ERROR) != 0 ? strerror(error) : NULL;

	(void)bev;
	if ((what & BEV_EVENT_CONNECTED) != 0) {
		on_connected(c);
		return;
	}
	if (!c->connected) {
		fail_connect(c, reason != NULL ? reason : "closed");
		return;
	}
	if ((what & BEV_EVENT_WRITING) != 0 &&
	    read_last_words(c) == SESSION_ENDED) {
		finish(c, session_end(c->session));
		return;
	}
	handle(c, session_lost(c->session, reason));
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct connection *c = argument;

	(void)fd;
	(void)what;
	if (!c->connected)
		fail_connect(c, c->connect_error != 0
				    ? strerror(c->connect_error)
				    : "timed out");
	else if (session_state(c->session) == SESSION_READY &&
		 c->user == NULL) {
		pool_remove(&c->pool);
		session_quit(c->session);
		leave(c);
	} else if (patience_is_last(&c->patience))
		handle(c, session_overdue(c->session));
	else if (!c->leaving && is_moved(c))
		set_timer(c); /* above OUTGOING_LOW nobody tells us of it */
	else
		handle(c, session_timed_out(c->session));
}
