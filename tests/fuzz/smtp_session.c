/*
 * A whole session: the input is a script of what client, router and clock do.
 * A model beside it, which knows only what a line and an end of data are,
 * checks that every command has one reply, that nothing refused is sent on,
 * and that every transaction that was opened has ended.
 *
 * Script: an octet says what happens. Below 0xc0 the client says so many of
 * the octets that follow; the others are named below.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/dsn.h"
#include "common/limits.h"
#include "smtpd/reply.h"
#include "smtpd/session.h"
#include "smtpd/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what)            \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

enum happening {
	CLIENT_MOST = 0xbf, /* so many octets */
	VERDICT_YES,
	VERDICT_NO,
	VERDICT_LATER,
	OUTCOME_YES,
	OUTCOME_NO,
	ROUTER_LOST,
	TIME_OUT,
	DRAIN,
	STOP,
	TOGGLE_OPEN,
	TOGGLE_BEGIN,
	TOGGLE_ADD,
	TOGGLE_SEND,
	LIE,	    /* a verdict with four octets of its own */
	LIE_OUTCOME /* with two */
};

#define SIZE_MOST 3000

/* The model. */
struct world {
	struct session *session;
	uint8_t input[8192];
	size_t input_length;

	/* What the client's octets mean, as far as they were taken. */
	bool in_data;
	uint8_t last[5]; /* the newest octet last */
	size_t line_length;
	bool early;	   /* a bare LF in this line: answered before its end */
	bool bare;	   /* in this content */
	unsigned int owed; /* replies: lines and ends of data */

	unsigned int replies, last_code;
	bool opened, sent, closed;
	uint32_t asked, answered;
	size_t content;
	bool no_open, no_begin, no_add, no_send;
};

/* -- The session's effects -------------------------------------------------- */

static void
on_reply(void *context, unsigned int code, const char *text)
{
	static char wire[REPLY_SIZE];
	struct world *w = context;

	REQUIRE(!w->closed);
	REQUIRE(code >= 200 && code <= 599);
	REQUIRE(reply_format(wire, sizeof(wire), code, text) <= sizeof(wire));
	w->replies++;
	w->last_code = code;
}

static void
on_refused(void *context, unsigned int code, const char *text)
{
	(void)context;
	REQUIRE(code >= 400 && text != NULL);
}

static int
on_open(void *context, const struct transaction *t)
{
	struct world *w = context;

	REQUIRE(!w->opened && t->sender != NULL);
	REQUIRE(dsn_ret_is_valid(t->ret) && dsn_envid_is_valid(t->envid));
	if (w->no_open)
		return -1;
	w->opened = true;
	w->sent = false;
	w->asked = w->answered = 0;
	return 0;
}

static void
on_recipient(
    void *context, uint32_t number, const struct transaction_recipient *r)
{
	struct world *w = context;

	REQUIRE(w->opened && !w->sent && number == w->asked);
	REQUIRE(r->address[0] != '\0' && dsn_notify_is_valid(r->notify) &&
		dsn_orcpt_is_valid(r->orcpt));
	REQUIRE(w->asked - w->answered < SESSION_PENDING);
	w->asked++;
}

static int
on_content_begin(void *context, const struct transaction *t)
{
	char header[LIMIT_TRACE];
	struct world *w = context;
	struct trace trace = { session_helo(w->session), "", "192.0.2.1", "mx",
		session_protocol(w->session), t->id, t->first, 0 };

	REQUIRE(w->opened && !w->sent && t->accepted > 0 && t->id != 0);
	REQUIRE(w->asked == w->answered);
	REQUIRE(trace_format(header, &trace) < sizeof(header));
	w->content = 0;
	return w->no_begin ? -1 : 0;
}

static int
on_content_add(void *context, const uint8_t *data, size_t length)
{
	struct world *w = context;

	(void)data;
	REQUIRE(w->opened && !w->sent && length > 0);
	w->content += length;
	REQUIRE(w->content <= SIZE_MOST);
	return w->no_add ? -1 : 0;
}

static int
on_content_send(void *context, unsigned int hops)
{
	struct world *w = context;

	(void)hops;
	REQUIRE(w->opened && !w->sent);
	if (w->no_send)
		return -1;
	w->sent = true;
	return 0;
}

static void
on_end(void *context, enum session_end why)
{
	struct world *w = context;

	REQUIRE(w->opened && why < SESSION_ENDS);
	w->opened = w->sent = false;
}

static void
on_close(void *context)
{
	struct world *w = context;

	REQUIRE(!w->closed);
	w->closed = true;
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

/* -- The model --------------------------------------------------------------- */

static bool
last_is(const struct world *w, const char *text)
{
	size_t length = strlen(text);

	return memcmp(w->last + sizeof(w->last) - length, text, length) == 0;
}

static void
model_command_octet(struct world *w, uint8_t octet)
{
	w->line_length++;
	if (octet != '\n')
		return;
	if (last_is(w, "\r\n")) {
		if (!w->early)
			w->owed++;
		w->early = false;
		w->line_length = 0;
	} else if (!w->early && w->line_length <= LIMIT_COMMAND_LINE) {
		/* Only the first LF of a line is answered at once, and only
		 * if the line is not thrown away as too long already. */
		w->early = true;
		w->owed++;
	}
}

/* The end of data is where the last five octets say so; that is all that
 * there is to know. The CRLF of the DATA line counts. */
static void
model_data_octet(struct world *w, uint8_t octet)
{
	uint8_t before = w->last[sizeof(w->last) - 2];

	if ((octet == '\n') != (before == '\r'))
		w->bare = true;
	if (last_is(w, "\r\n.\r\n")) {
		w->in_data = false;
		w->line_length = 0;
		w->owed++;
	}
}

static void
model_octets(struct world *w, const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		memmove(w->last, w->last + 1, sizeof(w->last) - 1);
		w->last[sizeof(w->last) - 1] = octets[i];
		if (w->in_data)
			model_data_octet(w, octets[i]);
		else
			model_command_octet(w, octets[i]);
	}
}

/* Replies that the session waits for the router to give. */
static unsigned int
awaited(const struct world *w)
{
	return w->opened ? w->asked - w->answered + (w->sent ? 1 : 0) : 0;
}

static void
check(struct world *w)
{
	if (w->closed) {
		REQUIRE(!w->opened);
		REQUIRE(session_turn(w->session) == SESSION_TURN_NOBODY);
		return;
	}
	REQUIRE(w->replies + awaited(w) == w->owed);
	REQUIRE((awaited(w) > 0) ==
		(session_turn(w->session) == SESSION_TURN_ROUTER));
	REQUIRE(w->in_data == (session_turn(w->session) == SESSION_TURN_DATA));
	if (session_turn(w->session) == SESSION_TURN_COMMAND)
		REQUIRE(w->input_length < LIMIT_COMMAND_LINE);
	/* Nothing that has a bare newline is ever sent. */
	REQUIRE(!w->sent || !w->bare);
}

/* Offers what the client has said. */
static void
offer(struct world *w)
{
	bool was_data = w->in_data;
	size_t taken = session_input(w->session, w->input, w->input_length);

	REQUIRE(taken <= w->input_length);
	model_octets(w, w->input, taken);
	w->input_length -= taken;
	memmove(w->input, w->input + taken, w->input_length);
	if (!was_data && !w->closed &&
	    session_turn(w->session) == SESSION_TURN_DATA) {
		/* Whoever sends content before he was asked is cut off. */
		REQUIRE(w->last_code == 354 && w->input_length == 0);
		w->in_data = true;
		w->bare = false;
		w->line_length = 0;
	}
	check(w);
}

static void
client_says(struct world *w, const uint8_t *octets, size_t length)
{
	if (length > sizeof(w->input) - w->input_length)
		return; /* the socket waits */
	memcpy(w->input + w->input_length, octets, length);
	w->input_length += length;
	offer(w);
}

/* A router that lies loses its link, as link.c does it. */
static void
router_says(struct world *w, int accepted)
{
	if (accepted == -1)
		session_router_lost(w->session);
	offer(w);
}

static void
verdict(struct world *w, unsigned int code)
{
	uint32_t number = w->answered;

	if (!w->opened || w->asked == w->answered)
		return;
	w->answered++;
	router_says(w, session_verdict(w->session, number, 9, code, "text"));
}

static void
lie(struct world *w, const uint8_t *octets)
{
	bool true_by_chance =
	    w->opened && w->asked > w->answered && octets[0] == w->answered;
	int accepted = session_verdict(w->session, octets[0], octets[1],
	    (unsigned int)octets[2] << 8 | octets[3], "lie");

	REQUIRE(accepted == -1 || true_by_chance);
	if (accepted == 0)
		w->answered++;
	router_says(w, accepted);
}

static void
lie_outcome(struct world *w, const uint8_t *octets)
{
	bool may = w->sent;
	int accepted = session_outcome(
	    w->session, (unsigned int)octets[0] << 8 | octets[1], "lie");

	REQUIRE(accepted == -1 || may);
	router_says(w, accepted);
}

/* One step of the script; returns how many more octets it used. */
static size_t
happen(struct world *w, uint8_t what, const uint8_t *rest, size_t left)
{
	size_t length = what < left ? what : left;

	if (what <= CLIENT_MOST) {
		client_says(w, rest, length);
		return length;
	}
	if (what == VERDICT_YES)
		verdict(w, 250);
	else if (what == VERDICT_NO)
		verdict(w, 550);
	else if (what == VERDICT_LATER)
		verdict(w, 451);
	else if (what == OUTCOME_YES && w->sent)
		router_says(w, session_outcome(w->session, 250, "yes"));
	else if (what == OUTCOME_NO && w->sent)
		router_says(w, session_outcome(w->session, 552, "no"));
	else if (what == ROUTER_LOST)
		router_says(w, -1);
	else if (what == TIME_OUT)
		session_timeout(w->session);
	else if (what == DRAIN)
		session_drain(w->session);
	else if (what == STOP)
		session_stop(w->session);
	else if (what == TOGGLE_OPEN)
		w->no_open = !w->no_open;
	else if (what == TOGGLE_BEGIN)
		w->no_begin = !w->no_begin;
	else if (what == TOGGLE_ADD)
		w->no_add = !w->no_add;
	else if (what == TOGGLE_SEND)
		w->no_send = !w->no_send;
	else if (what == LIE && left >= 4) {
		lie(w, rest);
		return 4;
	} else if (what == LIE_OUTCOME && left >= 2) {
		lie_outcome(w, rest);
		return 2;
	}
	offer(w);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct session_rules rules = {
		.hostname = "mx.test", .size = SIZE_MOST, .recipients = 12
	};
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.session = session_new(&rules, &effects, &w);
	REQUIRE(w.session != NULL);
	w.owed = 1; /* the greeting */
	session_start(w.session, false);
	check(&w);
	while (size > 0) {
		size_t used = 1 + happen(&w, data[0], data + 1, size - 1);

		data += used;
		size -= used;
	}
	session_free(&w.session);
	REQUIRE(!w.opened);
	return 0;
}
