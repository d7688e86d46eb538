#include "smtpd/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/limits.h"
#include "smtpd/session_content.h"
#include "smtpd/session_core.h"
#include "smtpd/session_line.h"

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

typedef size_t session_taker(struct session *, const uint8_t *, size_t);

/* Not before the greeting is said, or the router has answered. */
static size_t
take_nothing(struct session *s, const uint8_t *in, size_t length)
{
	(void)s;
	(void)in;
	(void)length;
	return 0;
}

/* Nobody listens any more. */
static size_t
take_all(struct session *s, const uint8_t *in, size_t length)
{
	(void)s;
	(void)in;
	return length;
}

/* What the client's octets are in each state. */
static session_taker *const takers[SESSION_STATES] = {
	[SESSION_NEW] = take_nothing,
	[SESSION_GREETED] = session_take_line,
	[SESSION_READY] = session_take_line,
	[SESSION_MAIL] = session_take_line,
	[SESSION_RCPT] = session_take_line,
	[SESSION_DATA] = session_take_content,
	[SESSION_OUTCOME] = take_nothing,
	[SESSION_ENDED] = take_all,
};

size_t
session_input(struct session *s, const uint8_t *in, size_t length)
{
	size_t used = 0, taken;

	while (used < length) {
		taken = takers[s->state](s, in + used, length - used);
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

	if (s->state != SESSION_RCPT || !t->opened || session_pending(s) == 0 ||
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
	if (s->state != SESSION_OUTCOME || !s->transaction->opened ||
	    (code != 250 && !is_refusal(code)))
		return -1;
	session_reply(s, code, text);
	if (code == 250) {
		s->messages++;
		s->errors = s->refused = s->junk = 0;
	}
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

	if (t == NULL || !t->opened)
		return;
	session_part_from_router(s, why);
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
	case SESSION_TURN_DATA:
		session_say_refusal(s);
		/* FALLTHROUGH */
	case SESSION_TURN_COMMAND:
		session_part_from_router(s, SESSION_END_TIMEOUT);
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
	return session_pending(s) > 0 ? SESSION_TURN_ROUTER
				      : session_state_turn(s->state);
}

enum session_state
session_state(const struct session *s)
{
	return s->state;
}

struct session_progress
session_progress(const struct session *s)
{
	return (struct session_progress){
		.turn = session_turn(s),
		.commands = s->commands,
		.messages = s->messages,
		.in_vain =
		    s->state == SESSION_DATA && s->data.refusal != DATA_GOOD,
	};
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
