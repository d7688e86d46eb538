#include "deliver/remote/session_move.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/log.h"

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
	[SESSION_LEAVING] = { "leaving", "the replies before QUIT", 5 },
	[SESSION_QUIT] = { "quit", "the reply to QUIT", 5 },
	[SESSION_DEAD] = { "dead", "nothing", 0 },
};

void
session_enter(struct session *s, enum session_state state)
{
	log_debug(
	    "session from=%s to=%s", states[s->state].name, states[state].name);
	s->state = state;
	s->steps++;
	s->unsent = state == SESSION_EHLO || state == SESSION_HELO ||
		    state == SESSION_LONE_DOT || state == SESSION_RSET ||
		    state == SESSION_QUIT;
}

unsigned int
session_timeout(const struct session *s)
{
	return states[s->state].seconds;
}

const char *
session_state_name(enum session_state state)
{
	return states[state].name;
}

const char *
session_reason(struct session *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(s->reason, sizeof(s->reason), format, arguments);
	va_end(arguments);
	return s->reason;
}

enum session_effect
session_stop(struct session *s, enum session_end_kind kind,
    enum report_scope scope, const char *reason)
{
	s->end = (struct session_end){ kind, scope, reason };
	s->transaction = NULL;
	session_enter(s, SESSION_DEAD);
	return SESSION_ENDED;
}

enum session_effect
session_leave(struct session *s, enum session_end_kind kind,
    enum report_scope scope, const char *reason)
{
	bool is_awaiting =
	    s->state == SESSION_ENVELOPE && s->answered < s->sent;

	s->end = (struct session_end){ kind, scope, reason };
	s->transaction = NULL;
	session_enter(s, is_awaiting ? SESSION_LEAVING : SESSION_QUIT);
	return SESSION_ENDED;
}

bool
session_is_parting(const struct session *s)
{
	return s->state == SESSION_READY || s->state == SESSION_LEAVING ||
	       s->state == SESSION_QUIT;
}

void
session_settle(struct session *s, unsigned int number,
    enum report_outcome outcome, enum report_scope scope, const char *reply)
{
	struct recipient *r = &s->transaction->recipients[number];

	assert(!r->settled);
	r->settled = true;
	s->settled(s->context, number, outcome, scope, reply);
}

void
session_settle_accepted(struct session *s, enum report_outcome outcome,
    enum report_scope scope, const char *reply)
{
	for (unsigned int i = 0; i < s->transaction->count; i++)
		if (s->transaction->recipients[i].accepted &&
		    !s->transaction->recipients[i].settled)
			session_settle(s, i, outcome, scope, reply);
	s->accepted = 0;
}

void
session_settle_all(struct session *s, enum report_outcome outcome,
    enum report_scope scope, const char *reply)
{
	for (unsigned int i = 0; i < s->transaction->count; i++)
		if (!s->transaction->recipients[i].settled)
			session_settle(s, i, outcome, scope, reply);
	s->accepted = 0;
}

enum session_effect
session_done(struct session *s)
{
	s->transaction = NULL;
	session_enter(s, SESSION_READY);
	return SESSION_DONE;
}

static const char *
awaited(const struct session *s)
{
	if (s->state != SESSION_ENVELOPE)
		return states[s->state].awaits;
	if (s->answered == 0)
		return "the reply to MAIL";
	return s->answered > s->batch ? "the reply to DATA"
				      : "the reply to RCPT";
}

enum session_effect
session_lose(struct session *s, const char *why)
{
	if (s->state == SESSION_DOT) {
		session_reason(s,
		    "%s while waiting for %s: it may have been accepted, and "
		    "may arrive twice",
		    why, awaited(s));
		session_settle_accepted(
		    s, REPORT_DEFERRED, REPORT_SCOPE_DESTINATION, s->reason);
	} else
		session_reason(s, "%s while waiting for %s", why, awaited(s));
	return session_stop(s,
	    session_is_parting(s) ? SESSION_END_QUIT : SESSION_END_LOST,
	    REPORT_SCOPE_DESTINATION, s->reason);
}

enum session_effect
session_lost(struct session *s, const char *reason)
{
	char why[128];

	if (reason == NULL)
		return session_lose(s, "4.4.2 connection closed by the host");
	snprintf(why, sizeof(why), "4.4.2 connection lost (%s)", reason);
	return session_lose(s, why);
}

enum session_effect
session_timed_out(struct session *s)
{
	return session_lose(s, "4.4.2 timed out");
}

enum session_effect
session_overdue(struct session *s)
{
	char why[64];

	snprintf(why, sizeof(why), "4.4.2 not through in %d minutes",
	    LIMIT_MESSAGE_SECONDS / 60);
	return session_lose(s, why);
}
