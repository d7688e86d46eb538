#include "deliver/remote/session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "deliver/remote/session_parts.h"

#define IN_MINUTES(n) ((n)*60)

/* What each state waits for, and how long: RFC 5321 4.5.3.2. */
static const struct {
	const char *name;
	const char *awaits;
	unsigned int seconds;
} states[SESSION_STATES] = {
	[SESSION_GREETING] = { "greeting", "the greeting", IN_MINUTES(5) },
	[SESSION_EHLO] = { "ehlo", "the reply to EHLO", IN_MINUTES(5) },
	[SESSION_HELO] = { "helo", "the reply to HELO", IN_MINUTES(5) },
	[SESSION_READY] = { "ready", "nothing", LIMIT_IDLE_SECONDS },
	[SESSION_ENVELOPE] = { "envelope", "the reply to MAIL, RCPT or DATA",
	    IN_MINUTES(5) },
	[SESSION_CONTENT] = { "content", "room for the content",
	    IN_MINUTES(3) },
	[SESSION_DOT] = { "dot", "the reply to the content", IN_MINUTES(10) },
	[SESSION_LONE_DOT] = { "lone-dot", "the reply to the end of the data",
	    IN_MINUTES(2) },
	[SESSION_RSET] = { "rset", "the reply to RSET", 30 },
	[SESSION_QUIT] = { "quit", "the reply to QUIT", 5 },
	[SESSION_DEAD] = { "dead", "nothing", 0 },
};

static void
enter(struct session *s, enum session_state state)
{
	log_debug(
	    "session from=%s to=%s", states[s->state].name, states[state].name);
	s->state = state;
	s->steps++;
	s->unsent = state == SESSION_EHLO || state == SESSION_HELO ||
		    state == SESSION_LONE_DOT || state == SESSION_RSET ||
		    state == SESSION_QUIT;
}

struct session *
session_new(const char *hostname)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->hostname = hostname;
	return s;
}

void
session_free(struct session **pointer)
{
	free(*pointer);
	*pointer = NULL;
}

/* A reason in our own words. */
static const char *say(struct session *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *
say(struct session *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(s->reason, sizeof(s->reason), format, arguments);
	va_end(arguments);
	return s->reason;
}

static enum session_effect
end(struct session *s, enum session_end_kind kind, enum report_scope scope,
    const char *reason)
{
	s->end = (struct session_end){ kind, scope, reason };
	s->transaction = NULL;
	enter(s, SESSION_DEAD);
	return SESSION_ENDED;
}

static void
settle(struct session *s, unsigned int number, enum report_outcome outcome,
    enum report_scope scope, const char *reply)
{
	struct recipient *r = &s->transaction->recipients[number];

	assert(!r->settled);
	r->settled = true;
	s->settled(s->context, number, outcome, scope, reply);
}

/* Settles all that the host has accepted. */
static void
settle_accepted(struct session *s, enum report_outcome outcome,
    enum report_scope scope, const char *reply)
{
	for (unsigned int i = 0; i < s->transaction->count; i++)
		if (s->transaction->recipients[i].accepted &&
		    !s->transaction->recipients[i].settled)
			settle(s, i, outcome, scope, reply);
	s->accepted = 0;
}

static void
settle_all(struct session *s, enum report_outcome outcome,
    enum report_scope scope, const char *reply)
{
	for (unsigned int i = 0; i < s->transaction->count; i++)
		if (!s->transaction->recipients[i].settled)
			settle(s, i, outcome, scope, reply);
	s->accepted = 0;
}

static enum session_effect
done(struct session *s)
{
	s->transaction = NULL;
	enter(s, SESSION_READY);
	return SESSION_DONE;
}

static const char *
awaited(const struct session *s)
{
	if (s->state != SESSION_ENVELOPE)
		return states[s->state].awaits;
	if (s->answered == 0)
		return "the reply to MAIL";
	return s->answered > s->transaction->count ? "the reply to DATA"
						   : "the reply to RCPT";
}

/* No more can be learnt from this connection. `why` starts with an enhanced
 * status code of RFC 3463. */
static enum session_effect
lose(struct session *s, const char *why)
{
	if (s->state == SESSION_DOT) {
		say(s,
		    "%s while waiting for %s: it may have been accepted, and "
		    "may arrive twice",
		    why, awaited(s));
		settle_accepted(
		    s, REPORT_DEFERRED, REPORT_SCOPE_DESTINATION, s->reason);
	} else
		say(s, "%s while waiting for %s", why, awaited(s));
	return end(s,
	    s->state == SESSION_QUIT || s->state == SESSION_READY
		? SESSION_END_QUIT
		: SESSION_END_LOST,
	    REPORT_SCOPE_DESTINATION, s->reason);
}

enum session_effect
session_lost(struct session *s, const char *reason)
{
	char why[128];

	if (reason == NULL)
		return lose(s, "4.4.2 connection closed by the host");
	snprintf(why, sizeof(why), "4.4.2 connection lost (%s)", reason);
	return lose(s, why);
}

enum session_effect
session_timed_out(struct session *s)
{
	return lose(s, "4.4.2 timed out");
}

static enum session_effect
on_bad_reply(struct session *s)
{
	return lose(s, "4.5.0 the host spoke no SMTP");
}

static enum session_effect
on_unexpected(struct session *s)
{
	char why[LIMIT_REPLY / 2];

	snprintf(why, sizeof(why), "4.5.0 unexpected reply \"%.900s\"",
	    s->reply.text);
	return lose(s, why);
}

/* 421: the host is about to close the connection. */
static enum session_effect
on_421(struct session *s)
{
	if (s->state == SESSION_DOT || s->state == SESSION_CONTENT)
		settle_accepted(s, REPORT_DEFERRED, REPORT_SCOPE_DESTINATION,
		    s->reply.text);
	return end(s,
	    s->state == SESSION_READY ? SESSION_END_QUIT : SESSION_END_LOST,
	    REPORT_SCOPE_DESTINATION, s->reply.text);
}

static enum session_effect
on_greeting(struct session *s)
{
	switch (s->reply.code / 100) {
	case 2:
		enter(s, SESSION_EHLO);
		return SESSION_NOTHING;
	case 4:
	case 5:
		return end(s,
		    s->reply.code == 521 ? SESSION_END_PERMANENT
					 : SESSION_END_TEMPORARY,
		    REPORT_SCOPE_DESTINATION, s->reply.text);
	}
	return on_unexpected(s);
}

static enum session_effect
on_hello(struct session *s)
{
	switch (s->reply.code / 100) {
	case 2:
		extensions_read(
		    &s->extensions, s->reply.text, s->state == SESSION_EHLO);
		if (extensions_is_host(s->reply.text, s->hostname))
			return end(s, SESSION_END_LOOP,
			    REPORT_SCOPE_DESTINATION,
			    say(s,
				"5.4.6 mail loops back to myself: the host "
				"calls itself %s",
				s->hostname));
		enter(s, SESSION_READY);
		return SESSION_GREETED;
	case 5:
		if (s->state == SESSION_EHLO) {
			enter(s, SESSION_HELO);
			return SESSION_NOTHING;
		}
		return end(s, SESSION_END_PERMANENT, REPORT_SCOPE_DESTINATION,
		    s->reply.text);
	case 4:
		return end(s, SESSION_END_TEMPORARY, REPORT_SCOPE_DESTINATION,
		    s->reply.text);
	}
	return on_unexpected(s);
}

enum session_effect
session_begin(struct session *s, struct transaction *t, session_settled settled,
    void *context)
{
	assert(s->state == SESSION_READY);
	s->transaction = t;
	s->settled = settled;
	s->context = context;
	s->sent = 0;
	s->answered = 0;
	s->accepted = 0;
	s->mail_accepted = false;
	s->mail_refused = false;
	t->host_reports = s->extensions.dsn;
	if (s->extensions.size_limit > 0 &&
	    t->size > s->extensions.size_limit) {
		settle_all(s, REPORT_FAILED, REPORT_SCOPE_MESSAGE,
		    say(s,
			"5.3.4 the message has %" PRIu64
			" octets, the host takes %" PRIu64,
			t->size, s->extensions.size_limit));
		return done(s);
	}
	enter(s, SESSION_ENVELOPE);
	return SESSION_NOTHING;
}

/* A message that came to nothing before its content. */
static enum session_effect
give_up(struct session *s)
{
	if (!s->mail_accepted)
		return done(s);
	enter(s, SESSION_RSET);
	return SESSION_NOTHING;
}

static enum session_effect
after_envelope_reply(struct session *s)
{
	if (s->sent == s->answered && !session_may_send(s))
		return give_up(s);
	return SESSION_NOTHING;
}

static enum session_effect
on_mail_reply(struct session *s)
{
	switch (s->reply.code / 100) {
	case 2:
		s->mail_accepted = true;
		return after_envelope_reply(s);
	case 4:
		return end(s, SESSION_END_TEMPORARY, REPORT_SCOPE_MESSAGE,
		    s->reply.text);
	case 5:
		s->mail_refused = true;
		settle_all(
		    s, REPORT_FAILED, REPORT_SCOPE_MESSAGE, s->reply.text);
		return after_envelope_reply(s);
	}
	s->answered--;
	return on_unexpected(s);
}

static enum session_effect
on_rcpt_reply(struct session *s, unsigned int recipient)
{
	if (s->mail_refused)
		return after_envelope_reply(s);
	switch (s->reply.code / 100) {
	case 2:
		s->transaction->recipients[recipient].accepted = true;
		s->accepted++;
		return after_envelope_reply(s);
	case 4:
	case 5:
		settle(s, recipient,
		    s->reply.code < 500 || s->reply.code == 552
			? REPORT_DEFERRED
			: REPORT_FAILED,
		    REPORT_SCOPE_RECIPIENT, s->reply.text);
		return after_envelope_reply(s);
	}
	s->answered--;
	return on_unexpected(s);
}

static enum session_effect
on_data_reply(struct session *s)
{
	if (s->reply.code == 354) {
		if (s->accepted == 0) {
			enter(s, SESSION_LONE_DOT);
			return SESSION_NOTHING;
		}
		enter(s, SESSION_CONTENT);
		return SESSION_SEND_CONTENT;
	}
	switch (s->reply.code / 100) {
	case 4:
	case 5:
		settle_accepted(s,
		    s->reply.code < 500 ? REPORT_DEFERRED : REPORT_FAILED,
		    REPORT_SCOPE_MESSAGE, s->reply.text);
		return give_up(s);
	}
	s->answered--;
	return on_unexpected(s);
}

static enum session_effect
on_envelope_reply(struct session *s)
{
	unsigned int command;

	if (s->answered == s->sent)
		return on_unexpected(s); /* before we said anything */
	command = s->answered++;
	if (command == 0)
		return on_mail_reply(s);
	if (command <= s->transaction->count)
		return on_rcpt_reply(s, command - 1);
	return on_data_reply(s);
}

/* A reply before we have ended the content: the host takes no more of it, and
 * nothing but closing can follow. Success it cannot be. */
static enum session_effect
on_early_reply(struct session *s)
{
	if (s->reply.code < 400)
		return on_unexpected(s);
	settle_accepted(s,
	    s->reply.code < 500 ? REPORT_DEFERRED : REPORT_FAILED,
	    REPORT_SCOPE_MESSAGE, s->reply.text);
	return end(
	    s, SESSION_END_LOST, REPORT_SCOPE_DESTINATION, s->reply.text);
}

static enum session_effect
on_final_reply(struct session *s)
{
	switch (s->reply.code / 100) {
	case 2:
		settle_accepted(
		    s, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, s->reply.text);
		return done(s);
	case 4:
	case 5:
		settle_accepted(s,
		    s->reply.code < 500 ? REPORT_DEFERRED : REPORT_FAILED,
		    REPORT_SCOPE_MESSAGE, s->reply.text);
		return done(s);
	}
	return on_unexpected(s);
}

/* Whatever the host says, the transaction is over; if it does not say 250 its
 * state is unknown to us. */
static enum session_effect
on_reset_reply(struct session *s)
{
	if (s->reply.code / 100 == 2 ||
	    (s->state == SESSION_LONE_DOT && s->reply.code >= 400))
		return done(s);
	return on_unexpected(s);
}

static enum session_effect
on_reply(struct session *s)
{
	if (s->reply.code == 421)
		return on_421(s);
	switch (s->state) {
	case SESSION_GREETING:
		return on_greeting(s);
	case SESSION_EHLO:
	case SESSION_HELO:
		return on_hello(s);
	case SESSION_ENVELOPE:
		return on_envelope_reply(s);
	case SESSION_CONTENT:
		return on_early_reply(s);
	case SESSION_DOT:
		return on_final_reply(s);
	case SESSION_LONE_DOT:
	case SESSION_RSET:
		return on_reset_reply(s);
	case SESSION_QUIT:
		return end(s, SESSION_END_QUIT, REPORT_SCOPE_DESTINATION,
		    s->reply.text);
	case SESSION_READY:
	case SESSION_DEAD:
	case SESSION_STATES:
		break;
	}
	return on_unexpected(s);
}

enum session_effect
session_feed(struct session *s, const char *data, size_t length, size_t *used)
{
	enum session_effect effect = SESSION_NOTHING;
	size_t n;

	*used = 0;
	while (*used < length && effect == SESSION_NOTHING) {
		if (s->state == SESSION_DEAD)
			return SESSION_ENDED;
		switch (
		    reply_feed(&s->reply, data + *used, length - *used, &n)) {
		case REPLY_BAD:
			effect = on_bad_reply(s);
			break;
		case REPLY_COMPLETE:
			s->steps++;
			effect = on_reply(s);
			break;
		case REPLY_MORE:
			break;
		}
		*used += n;
	}
	return effect;
}

void
session_content_sent(struct session *s)
{
	if (s->state == SESSION_CONTENT)
		enter(s, SESSION_DOT);
}

void
session_quit(struct session *s)
{
	if (s->state == SESSION_READY)
		enter(s, SESSION_QUIT);
}

enum session_state
session_state(const struct session *s)
{
	return s->state;
}

unsigned int
session_steps(const struct session *s)
{
	return s->steps;
}

unsigned int
session_timeout(const struct session *s)
{
	return states[s->state].seconds;
}

bool
session_mail_accepted(const struct session *s)
{
	return s->mail_accepted;
}

const struct session_end *
session_end(const struct session *s)
{
	return &s->end;
}

const char *
session_state_name(enum session_state state)
{
	return states[state].name;
}
