/* What each reply means, by the state in which it comes. */
#include "deliver/remote/session_move.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static enum session_effect
on_unexpected(struct session *s)
{
	char why[LIMIT_REPLY / 2];

	snprintf(why, sizeof(why), "4.5.0 unexpected reply \"%.900s\"",
	    s->reply.text);
	return session_lose(s, why);
}

/* 421: the host is about to close the connection. */
static enum session_effect
on_421(struct session *s)
{
	if (s->state == SESSION_DOT || s->state == SESSION_CONTENT)
		session_settle_accepted(s, REPORT_DEFERRED,
		    REPORT_SCOPE_DESTINATION, s->reply.text);
	return session_stop(s,
	    session_is_parting(s) ? SESSION_END_QUIT : SESSION_END_LOST,
	    REPORT_SCOPE_DESTINATION, s->reply.text);
}

static enum session_effect
on_greeting(struct session *s)
{
	switch (s->reply.code / 100) {
	case 2:
		session_enter(s, SESSION_EHLO);
		return SESSION_NOTHING;
	case 4:
	case 5:
		return session_leave(s,
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
		if (s->kind == ROUTE_MX &&
		    extensions_is_host(s->reply.text, s->hostname))
			return session_leave(s, SESSION_END_LOOP,
			    REPORT_SCOPE_DESTINATION,
			    session_reason(s,
				"5.4.6 mail loops back to myself: the host "
				"calls itself %s",
				s->hostname));
		session_enter(s, SESSION_READY);
		return SESSION_GREETED;
	case 5:
		if (s->state == SESSION_EHLO) {
			session_enter(s, SESSION_HELO);
			return SESSION_NOTHING;
		}
		return session_leave(s, SESSION_END_PERMANENT,
		    REPORT_SCOPE_DESTINATION, s->reply.text);
	case 4:
		return session_leave(s, SESSION_END_TEMPORARY,
		    REPORT_SCOPE_DESTINATION, s->reply.text);
	}
	return on_unexpected(s);
}

/* A message that came to nothing before its content. */
static enum session_effect
give_up(struct session *s)
{
	if (!s->mail_accepted)
		return session_done(s);
	session_enter(s, SESSION_RSET);
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
		return session_leave(s, SESSION_END_TEMPORARY,
		    REPORT_SCOPE_MESSAGE, s->reply.text);
	case 5:
		s->mail_refused = true;
		session_settle_all(
		    s, REPORT_FAILED, REPORT_SCOPE_MESSAGE, s->reply.text);
		return after_envelope_reply(s);
	}
	s->answered--;
	return on_unexpected(s);
}

/* Is it "too many recipients", as far as one can know? RFC 5321 4.5.3.1.10
 * gives that two codes, which mean other things too; RFC 3463 one of its own.
 */
static bool
is_too_many(const struct session *s)
{
	const char *text = s->reply.text + strlen("250 ");
	bool is_enhanced = (text[0] == '4' || text[0] == '5') && text[1] == '.';

	if (is_enhanced)
		return strncmp(text + 1, ".5.3", 4) == 0 &&
		       (text[5] < '0' || text[5] > '9');
	return s->reply.code == 452 || s->reply.code == 552;
}

/* The host takes the message for those that it accepted, and for this one in
 * the next transaction. Where it cannot say so unmistakably, a mailbox may be
 * full instead, and the next one shows that: nobody is accepted then. */
static bool
postpone(struct session *s, unsigned int recipient)
{
	struct transaction *t = s->transaction;

	if (s->accepted == 0 || !is_too_many(s))
		return false;
	t->recipients[recipient].postponed = true;
	if (!t->most_is_new && s->accepted < t->most) {
		t->most = s->accepted;
		t->most_is_new = true;
	}
	return true;
}

static void
accept_recipient(struct session *s, unsigned int recipient)
{
	struct transaction *t = s->transaction;

	t->recipients[recipient].accepted = true;
	s->accepted++;
	if (!t->most_is_new)
		return;
	t->most = UINT_MAX; /* so that was no limit */
	t->most_is_new = false;
}

static enum session_effect
on_rcpt_reply(struct session *s, unsigned int recipient)
{
	if (s->mail_refused)
		return after_envelope_reply(s);
	switch (s->reply.code / 100) {
	case 2:
		accept_recipient(s, recipient);
		return after_envelope_reply(s);
	case 4:
	case 5:
		if (postpone(s, recipient))
			return after_envelope_reply(s);
		session_settle(s, recipient,
		    s->reply.code < 500 || s->reply.code == 552
			? REPORT_DEFERRED
			: REPORT_FAILED,
		    REPORT_SCOPE_RECIPIENT, s->reply.text);
		return after_envelope_reply(s);
	}
	s->answered--;
	return on_unexpected(s);
}

/* The host does not take the message for those that it accepted, and is not
 * asked again at once for the others. */
static void
refuse_accepted(struct session *s)
{
	if (s->accepted == 0)
		return;
	session_settle_accepted(s,
	    s->reply.code < 500 ? REPORT_DEFERRED : REPORT_FAILED,
	    REPORT_SCOPE_MESSAGE, s->reply.text);
	session_settle_all(
	    s, REPORT_DEFERRED, REPORT_SCOPE_MESSAGE, s->reply.text);
}

static enum session_effect
on_data_reply(struct session *s)
{
	if (s->reply.code == 354) {
		if (s->accepted == 0) {
			session_enter(s, SESSION_LONE_DOT);
			return SESSION_NOTHING;
		}
		session_enter(s, SESSION_CONTENT);
		return SESSION_SEND_CONTENT;
	}
	switch (s->reply.code / 100) {
	case 4:
	case 5:
		refuse_accepted(s);
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
	if (command <= s->batch)
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
	refuse_accepted(s);
	return session_stop(
	    s, SESSION_END_LOST, REPORT_SCOPE_DESTINATION, s->reply.text);
}

static enum session_effect
on_final_reply(struct session *s)
{
	switch (s->reply.code / 100) {
	case 2:
		session_settle_accepted(
		    s, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, s->reply.text);
		return session_done(s);
	case 4:
	case 5:
		refuse_accepted(s);
		return session_done(s);
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
		return session_done(s);
	return on_unexpected(s);
}

/* What was said after a MAIL that was refused has its replies too; none is of
 * interest, but that no content may follow QUIT. */
static enum session_effect
on_late_reply(struct session *s)
{
	if (s->reply.code / 100 == 3)
		return on_unexpected(s);
	if (++s->answered == s->sent)
		session_enter(s, SESSION_QUIT);
	return SESSION_NOTHING;
}

enum session_effect
session_hear(struct session *s)
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
	case SESSION_LEAVING:
		return on_late_reply(s);
	case SESSION_QUIT:
		return session_stop(s, SESSION_END_QUIT,
		    REPORT_SCOPE_DESTINATION, s->reply.text);
	case SESSION_READY:
	case SESSION_DEAD:
	case SESSION_STATES:
		break;
	}
	return on_unexpected(s);
}
