#include "smtpd/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "smtpd/session_private.h"

struct session *
session_new(const struct session_rules *rules,
    const struct session_effects *effects, void *context)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->rules = rules;
	s->effects = effects;
	s->context = context;
	return s;
}

void
session_free(struct session **pointer)
{
	struct session *s = *pointer;

	*pointer = NULL;
	if (s == NULL)
		return;
	session_end_transaction(s, SESSION_END_GONE);
	free(s->helo);
	free(s);
}

void
session_set_state(struct session *s, enum session_state state)
{
	if (s->state != SESSION_ENDED)
		s->state = state;
}

void
session_reply(struct session *s, unsigned int code, const char *text)
{
	if (s->state != SESSION_ENDED)
		s->effects->reply(s->context, code, text);
}

void
session_close(struct session *s, unsigned int code, const char *text)
{
	if (s->state == SESSION_ENDED)
		return;
	session_reply(s, code, text);
	session_end_transaction(s, SESSION_END_RESET);
	session_set_state(s, SESSION_ENDED);
	s->effects->close(s->context);
}

void
session_refuse(struct session *s, unsigned int code, const char *text)
{
	s->effects->refused(s->context, code, text);
	if (code >= 500 && ++s->errors >= SESSION_ERRORS)
		session_close(s, 421, "4.7.0 Too many errors");
	else
		session_reply(s, code, text);
}

unsigned int
session_pending(const struct session *s)
{
	const struct transaction *t = s->transaction;

	return t != NULL ? t->asked - t->answered : 0;
}

static void
transaction_free(struct transaction **pointer)
{
	struct transaction *t = *pointer;

	*pointer = NULL;
	if (t == NULL)
		return;
	free(t->sender);
	free(t);
}

/* The router hears no more of it. */
static void
part_from_router(struct session *s, enum session_end why)
{
	if (!s->opened)
		return;
	s->opened = false;
	s->effects->end(s->context, why);
}

void
session_end_transaction(struct session *s, enum session_end why)
{
	if (s->transaction == NULL)
		return;
	part_from_router(s, why);
	transaction_free(&s->transaction);
	session_set_state(s, SESSION_READY);
}

/* What every event ends with. */
static void
settle(struct session *s)
{
	if (s->draining && s->transaction == NULL)
		session_close(s, 421, "4.3.2 Restarting, please come again");
}

void
session_start(struct session *s, bool spoke)
{
	char text[LIMIT_DOMAIN + 32];

	if (spoke) {
		s->effects->refused(s->context, 554, "spoke before greeting");
		session_close(s, 554, "5.5.1 Wait for the greeting");
		return;
	}
	snprintf(
	    text, sizeof(text), "%.255s ESMTP postern", s->rules->hostname);
	session_reply(s, 220, text);
	session_set_state(s, SESSION_GREETED);
	settle(s);
}

/* Throws away up to and including the next CRLF. */
static size_t
take_discarded(struct session *s, const uint8_t *in, size_t length)
{
	const uint8_t *at = in, *end = in + length, *lf;
	enum session_discard discard = s->discard;

	while ((lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		bool cr = lf == in ? s->discard_cr : lf[-1] == '\r';

		at = lf + 1;
		if (!cr)
			continue;
		s->discard = DISCARD_NOTHING;
		s->commands++;
		if (discard == DISCARD_LONG)
			session_refuse(s, 500, "5.5.2 Line too long");
		return (size_t)(at - in);
	}
	s->discard_cr = end[-1] == '\r';
	return length;
}

static void
discard_line(struct session *s, enum session_discard how)
{
	s->discard = how;
	s->discard_cr = false;
}

/* May this line be looked at? While verdicts are awaited only another RCPT
 * may go ahead of them. */
static bool
must_wait(const struct session *s, const uint8_t *in, size_t length)
{
	unsigned int pending = session_pending(s);

	return pending >= SESSION_PENDING ||
	       (pending > 0 && length > 0 && in[0] != 'R' && in[0] != 'r');
}

static size_t
take_line(struct session *s, const uint8_t *in, size_t length)
{
	size_t most = length < LIMIT_COMMAND_LINE ? length : LIMIT_COMMAND_LINE;
	const uint8_t *lf = memchr(in, '\n', most);
	char line[LIMIT_COMMAND_LINE + 1];
	struct command command;
	size_t taken, text;

	if (must_wait(s, in, length) ||
	    (lf == NULL && length < LIMIT_COMMAND_LINE))
		return 0;
	if ((lf == NULL || lf == in || lf[-1] != '\r') &&
	    session_pending(s) > 0)
		return 0;
	if (lf == NULL) {
		discard_line(s, DISCARD_LONG);
		return take_discarded(s, in, length);
	}
	taken = (size_t)(lf + 1 - in);
	if (lf == in || lf[-1] != '\r') {
		/* Answered at once, for the person who typed it; but what
		 * follows up to a CRLF is still the same line. */
		discard_line(s, DISCARD_ANSWERED);
		session_refuse(s, 500, "5.5.2 Lines end in CR LF, not in LF");
		return taken;
	}
	text = taken - 2;
	memcpy(line, in, text);
	line[text] = '\0';
	command_parse(line, text, &command);
	return session_command(s, &command, length > taken) ? taken : 0;
}

static int
keep_content(void *context, const uint8_t *data, size_t length)
{
	struct session *s = context;

	return s->transaction->lost
		   ? 0
		   : s->effects->content_add(s->context, data, length);
}

static void
refuse_content(struct session *s)
{
	switch (s->data.refusal) {
	case DATA_NO_ROOM:
		session_refuse(s, 452, "4.3.1 No room for it now");
		break;
	case DATA_TOO_LONG_LINE:
		session_refuse(s, 550, "5.6.0 A line is too long");
		break;
	case DATA_NUL:
		session_refuse(s, 550, "5.6.0 The message has a NUL octet");
		break;
	case DATA_TOO_BIG:
		session_refuse(s, 552, "5.3.4 The message is too big");
		break;
	case DATA_BARE_NEWLINE:
		session_refuse(
		    s, 550, "5.5.2 The message has a bare CR or bare LF");
		break;
	case DATA_GOOD:
	case DATA_REFUSALS:
		break;
	}
	session_end_transaction(s, SESSION_END_CONTENT);
}

static void
finish_data(struct session *s)
{
	if (s->data.refusal != DATA_GOOD)
		refuse_content(s);
	else if (s->transaction->lost ||
		 s->effects->content_send(s->context, s->data.hops) == -1) {
		session_refuse(s, 451, "4.3.0 Try again later");
		session_end_transaction(s, SESSION_END_CONTENT);
	} else
		session_set_state(s, SESSION_OUTCOME);
}

static size_t
take_data(struct session *s, const uint8_t *in, size_t length)
{
	size_t taken = data_decode(&s->data, in, length, keep_content, s);

	if (s->data.state == DATA_END)
		finish_data(s);
	return taken;
}

static size_t
take(struct session *s, const uint8_t *in, size_t length)
{
	switch (s->state) {
	case SESSION_GREETED:
	case SESSION_READY:
	case SESSION_MAIL:
	case SESSION_RCPT:
		return s->discard != DISCARD_NOTHING
			   ? take_discarded(s, in, length)
			   : take_line(s, in, length);
	case SESSION_DATA:
		return take_data(s, in, length);
	case SESSION_ENDED:
		return length;
	case SESSION_NEW:
	case SESSION_OUTCOME:
	case SESSION_STATES:
		break;
	}
	return 0;
}

size_t
session_input(struct session *s, const uint8_t *in, size_t length)
{
	size_t used = 0, taken;

	while (used < length) {
		taken = take(s, in + used, length - used);
		if (taken == 0)
			break;
		used += taken;
		settle(s);
	}
	return used;
}

static bool
is_refusal(unsigned int code)
{
	return code >= 400 && code <= 599;
}

int
session_verdict(struct session *s, uint32_t number, uint64_t id,
    unsigned int code, const char *text)
{
	struct transaction *t = s->transaction;

	if (s->state != SESSION_RCPT || !s->opened || session_pending(s) == 0 ||
	    number != t->answered || (code != 250 && !is_refusal(code)) ||
	    (code == 250 && (id == 0 || (t->id != 0 && t->id != id))))
		return -1;
	t->answered++;
	if (code == 250) {
		t->accepted++;
		t->id = id;
	}
	if (code >= 500 && ++s->refused >= SESSION_REFUSED)
		session_close(s, 421, "4.7.0 Too many unknown recipients");
	else
		session_reply(s, code, text);
	return 0;
}

int
session_outcome(struct session *s, unsigned int code, const char *text)
{
	if (s->state != SESSION_OUTCOME || !s->opened ||
	    (code != 250 && !is_refusal(code)))
		return -1;
	session_reply(s, code, text);
	if (code == 250)
		s->errors = s->refused = s->junk = 0;
	session_end_transaction(s, SESSION_END_OUTCOME);
	settle(s);
	return 0;
}

/* Everything that the router owes is answered for it. */
static void
answer_for_router(struct session *s, enum session_end why)
{
	static const char later[] = "4.3.0 Try again later";
	struct transaction *t = s->transaction;

	if (!s->opened)
		return;
	part_from_router(s, why);
	t->lost = true;
	for (; session_pending(s) > 0; t->answered++)
		session_reply(s, 451, later);
	if (s->state == SESSION_OUTCOME) {
		session_reply(s, 451, later);
		session_end_transaction(s, why);
	}
	settle(s);
}

void
session_router_lost(struct session *s)
{
	answer_for_router(s, SESSION_END_LOST);
}

void
session_timeout(struct session *s)
{
	switch (session_turn(s)) {
	case SESSION_TURN_COMMAND:
	case SESSION_TURN_DATA:
		part_from_router(s, SESSION_END_TIMEOUT);
		session_close(s, 421, "4.4.2 Timed out");
		break;
	case SESSION_TURN_ROUTER:
		answer_for_router(s, SESSION_END_TIMEOUT);
		break;
	case SESSION_TURN_NOBODY:
		break;
	}
}

void
session_drain(struct session *s)
{
	s->draining = true;
	if (s->state != SESSION_NEW)
		settle(s);
}

void
session_stop(struct session *s)
{
	session_close(s, 421, "4.3.2 Restarting, please come again");
}

enum session_turn
session_turn(const struct session *s)
{
	switch (s->state) {
	case SESSION_NEW:
	case SESSION_GREETED:
	case SESSION_READY:
	case SESSION_MAIL:
	case SESSION_RCPT:
		return session_pending(s) > 0 ? SESSION_TURN_ROUTER
					      : SESSION_TURN_COMMAND;
	case SESSION_DATA:
		return SESSION_TURN_DATA;
	case SESSION_OUTCOME:
		return SESSION_TURN_ROUTER;
	case SESSION_ENDED:
	case SESSION_STATES:
		break;
	}
	return SESSION_TURN_NOBODY;
}

enum session_state
session_state(const struct session *s)
{
	return s->state;
}

const char *
session_state_name(enum session_state state)
{
	static const char *const names[SESSION_STATES] = {
		[SESSION_NEW] = "new",
		[SESSION_GREETED] = "greeted",
		[SESSION_READY] = "ready",
		[SESSION_MAIL] = "mail",
		[SESSION_RCPT] = "rcpt",
		[SESSION_DATA] = "data",
		[SESSION_OUTCOME] = "outcome",
		[SESSION_ENDED] = "ended",
	};

	return state < SESSION_STATES ? names[state] : "unknown";
}

unsigned int
session_commands(const struct session *s)
{
	return s->commands;
}

const struct transaction *
session_transaction(const struct session *s)
{
	return s->transaction;
}

const char *
session_helo(const struct session *s)
{
	return s->helo != NULL ? s->helo : "";
}

enum smtp_protocol
session_protocol(const struct session *s)
{
	return s->esmtp ? SMTP_PROTOCOL_ESMTP : SMTP_PROTOCOL_SMTP;
}
