#include "smtpd/session_verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "common/limits.h"
#include "smtpd/session_content.h"
#include "smtpd/session_core.h"

typedef bool command_handler(struct session *, const struct command *);

static command_handler greet, open_transaction, add_recipient, begin_data,
    reset, answer_noop, answer_vrfy, answer_help, quit, refuse_absent,
    refuse_http, refuse_unknown, refuse_malformed;

#define IN(state) (1u << SESSION_##state)
#define ANY (IN(GREETED) | IN(READY) | IN(MAIL) | IN(RCPT))

/* Which command is legal when. A command that is last in its group (RFC 2920
 * 3.1) may have nothing behind it in the input: the client must see its reply
 * before it can know how to go on, and who goes on without it may be led by
 * somebody else. Only RCPT may go ahead while the router is asked. */
static const struct verb_rule {
	command_handler *handle;
	unsigned int states;
	bool last_in_group;
	bool carries_no_mail; /* counted, so that it cannot go on for ever */
} verbs[COMMAND_VERBS] = {
	[COMMAND_EHLO] = { greet, ANY, true, true },
	[COMMAND_HELO] = { greet, ANY, true, true },
	[COMMAND_MAIL] = { open_transaction, IN(READY), false, false },
	[COMMAND_RCPT] = { add_recipient, IN(MAIL) | IN(RCPT), false, false },
	[COMMAND_DATA] = { begin_data, IN(MAIL) | IN(RCPT), true, false },
	[COMMAND_RSET] = { reset, ANY, false, true },
	[COMMAND_NOOP] = { answer_noop, ANY, false, true },
	[COMMAND_VRFY] = { answer_vrfy, ANY, false, true },
	[COMMAND_HELP] = { answer_help, ANY, false, true },
	[COMMAND_QUIT] = { quit, ANY, false, false },
	[COMMAND_ABSENT] = { refuse_absent, ANY, false, false },
	[COMMAND_HTTP] = { refuse_http, ANY, false, false },
	[COMMAND_UNKNOWN] = { refuse_unknown, ANY, false, false },
	[COMMAND_MALFORMED] = { refuse_malformed, ANY, false, false },
};

static void
refuse_order(struct session *s)
{
	if (s->state == SESSION_GREETED)
		session_refuse(s, 503, "5.5.1 Send EHLO first");
	else if (s->state == SESSION_READY)
		session_refuse(s, 503, "5.5.1 Send MAIL first");
	else
		session_refuse(s, 503, "5.5.1 A transaction is open already");
}

bool
session_command(struct session *s, const struct command *c, bool more)
{
	const struct verb_rule *rule = &verbs[c->verb];

	if (session_pending(s) > 0 &&
	    (c->verb != COMMAND_RCPT || c->error_code != 0))
		return false;
	if (rule->last_in_group && more) {
		s->effects->refused(s->context, 503, "not in step");
		session_close(s, 503, "5.5.1 Wait for the reply");
	} else if ((rule->states & 1u << s->state) == 0)
		refuse_order(s);
	else if (c->error_code != 0)
		session_refuse(s, c->error_code, c->error_text);
	else if (rule->carries_no_mail && ++s->junk > SESSION_JUNK)
		session_close(s, 421, "4.7.0 Too many commands without mail");
	else if (!rule->handle(s, c))
		return false;
	s->commands++;
	return true;
}

static void
announce(struct session *s)
{
	char text[LIMIT_DOMAIN + 128];

	snprintf(text, sizeof(text),
	    "%.255s\r\nPIPELINING\r\nSIZE %" PRIu64
	    "\r\n8BITMIME\r\nDSN\r\nENHANCEDSTATUSCODES",
	    s->rules->hostname, s->rules->size);
	session_reply(s, 250, text);
}

static bool
greet(struct session *s, const struct command *c)
{
	char *helo = strdup(c->argument);

	if (helo == NULL) {
		session_close(s, 421, "4.3.0 Try again later");
		return true;
	}
	session_end_transaction(s, SESSION_END_RESET);
	free(s->helo);
	s->helo = helo;
	s->esmtp = c->verb == COMMAND_EHLO;
	session_set_state(s, SESSION_READY);
	if (s->esmtp)
		announce(s);
	else
		session_reply(s, 250, s->rules->hostname);
	return true;
}

static bool
open_transaction(struct session *s, const struct command *c)
{
	struct transaction *t;

	if (c->size > s->rules->size) {
		session_refuse(s, 552, "5.3.4 The message is too big");
		return true;
	}
	t = transaction_new(c->path.text);
	if (t == NULL) {
		session_refuse(s, 451, "4.3.0 Try again later");
		return true;
	}
	t->body = c->body;
	t->declared_size = c->size;
	t->ret = c->ret;
	strlcpy(t->envid, c->envid, sizeof(t->envid));
	s->transaction = t;
	session_set_state(s, SESSION_MAIL);
	session_reply(s, 250, "2.1.0 Ok");
	return true;
}

/* The router learns of the transaction with the first recipient. */
static int
open_at_router(struct session *s, const char *address)
{
	if (s->effects->open(s->context, s->transaction) == -1)
		return -1;
	s->transaction->opened = true;
	session_set_state(s, SESSION_RCPT);
	strlcpy(s->transaction->first, address, sizeof(s->transaction->first));
	return 0;
}

static bool
add_recipient(struct session *s, const struct command *c)
{
	struct transaction *t = s->transaction;
	unsigned int pending = session_pending(s);
	const struct transaction_recipient recipient = { c->path.text,
		c->notify, c->orcpt };

	if (t->accepted + pending >= s->rules->recipients) {
		if (pending > 0)
			return false;
		session_refuse(s, 452, "4.5.3 Too many recipients");
	} else if (t->lost ||
		   (!t->opened && open_at_router(s, c->path.text) == -1))
		session_refuse(s, 451, "4.3.0 Try again later");
	else
		/* If the link breaks now, session_router_lost() will answer. */
		s->effects->recipient(s->context, t->asked++, &recipient);
	return true;
}

static bool
begin_data(struct session *s, const struct command *c)
{
	struct transaction *t = s->transaction;

	(void)c;
	if (t->lost) {
		session_refuse(s, 451, "4.3.0 Try again later");
		session_end_transaction(s, SESSION_END_LOST);
	} else if (s->state == SESSION_MAIL)
		session_refuse(s, 503, "5.5.1 Send RCPT first");
	else if (t->accepted == 0)
		session_refuse(s, 554, "5.5.1 No valid recipients");
	else
		session_begin_content(s);
	return true;
}

static bool
reset(struct session *s, const struct command *c)
{
	(void)c;
	session_end_transaction(s, SESSION_END_RESET);
	session_reply(s, 250, "2.0.0 Ok");
	return true;
}

static bool
answer_noop(struct session *s, const struct command *c)
{
	(void)c;
	session_reply(s, 250, "2.0.0 Ok");
	return true;
}

/* Never says who exists; RCPT will. */
static bool
answer_vrfy(struct session *s, const struct command *c)
{
	(void)c;
	session_reply(s, 252, "2.1.5 Send some mail, and see");
	return true;
}

static bool
answer_help(struct session *s, const struct command *c)
{
	(void)c;
	session_reply(s, 214,
	    "2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT: "
	    "see RFC 5321");
	return true;
}

static bool
quit(struct session *s, const struct command *c)
{
	(void)c;
	session_close(s, 221, "2.0.0 Bye");
	return true;
}

static bool
refuse_absent(struct session *s, const struct command *c)
{
	(void)c;
	session_refuse(s, 502, "5.5.1 Command not implemented");
	return true;
}

/* A browser sends what a web page told it to: after this nothing that it
 * says may be taken for a command. */
static bool
refuse_http(struct session *s, const struct command *c)
{
	(void)c;
	s->effects->refused(s->context, 554, "HTTP");
	session_close(s, 554, "5.5.1 This is not a web server");
	return true;
}

static bool
refuse_unknown(struct session *s, const struct command *c)
{
	(void)c;
	session_refuse(s, 500, "5.5.2 Command not recognized");
	return true;
}

static bool
refuse_malformed(struct session *s, const struct command *c)
{
	(void)c;
	session_refuse(s, 500, "5.5.2 Command has illegal octets");
	return true;
}
