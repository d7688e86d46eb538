#include "deliver/remote/session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/dsn.h"
#include "deliver/remote/session_parts.h"

/* DATA only while it can still lead to something; without PIPELINING one at a
 * time. */
bool
session_may_send(const struct session *s)
{
	bool all_answered = s->sent == s->answered;

	if (s->sent > s->batch + 1 || s->mail_refused)
		return false;
	if (!s->extensions.pipelining && !all_answered)
		return false;
	return s->sent <= s->batch || !all_answered || s->accepted > 0;
}

static size_t
put_mail(const struct session *s, char *buffer, size_t size)
{
	const struct transaction *t = s->transaction;
	bool dsn = s->extensions.dsn;
	char parameter[32] = "";

	if (s->extensions.size)
		snprintf(
		    parameter, sizeof(parameter), " SIZE=%" PRIu64, t->size);
	return (size_t)snprintf(buffer, size, "MAIL FROM:<%s>%s%s%s%s%s%s\r\n",
	    t->sender, parameter,
	    s->extensions.eight_bit && t->body == SMTP_BODY_8BITMIME
		? " BODY=8BITMIME"
		: "",
	    dsn && t->ret != DSN_RET_NONE ? " RET=" : "",
	    dsn ? dsn_ret_name(t->ret) : "",
	    dsn && t->envid[0] != '\0' ? " ENVID=" : "", dsn ? t->envid : "");
}

static size_t
put_rcpt(const struct session *s, const struct recipient *r, char *buffer,
    size_t size)
{
	bool notify = s->extensions.dsn && r->notify != 0;
	bool orcpt = s->extensions.dsn && r->orcpt != NULL;
	char text[DSN_NOTIFY_TEXT];

	return (size_t)snprintf(buffer, size, "RCPT TO:<%s>%s%s%s%s\r\n",
	    r->address, notify ? " NOTIFY=" : "",
	    notify ? dsn_notify_text(text, r->notify) : "",
	    orcpt ? " ORCPT=" : "", orcpt ? r->orcpt : "");
}

static size_t
put_envelope(struct session *s, char *buffer, size_t size)
{
	const struct transaction *t = s->transaction;
	size_t length = 0;

	while (size - length >= SESSION_COMMAND_SIZE && session_may_send(s)) {
		char *at = buffer + length;
		size_t room = size - length;

		if (s->sent == 0)
			length += put_mail(s, at, room);
		else if (s->sent <= s->batch)
			length +=
			    put_rcpt(s, &t->recipients[s->sent - 1], at, room);
		else
			length += (size_t)snprintf(at, room, "DATA\r\n");
		s->sent++;
	}
	return length;
}

static size_t
put_command(struct session *s, char *buffer, size_t size)
{
	switch (s->state) {
	case SESSION_EHLO:
		return (size_t)snprintf(
		    buffer, size, "EHLO %s\r\n", s->hostname);
	case SESSION_HELO:
		return (size_t)snprintf(
		    buffer, size, "HELO %s\r\n", s->hostname);
	case SESSION_LONE_DOT:
		return (size_t)snprintf(buffer, size, ".\r\n");
	case SESSION_RSET:
		return (size_t)snprintf(buffer, size, "RSET\r\n");
	case SESSION_QUIT:
		return (size_t)snprintf(buffer, size, "QUIT\r\n");
	case SESSION_GREETING:
	case SESSION_READY:
	case SESSION_ENVELOPE:
	case SESSION_CONTENT:
	case SESSION_DOT:
	case SESSION_LEAVING:
	case SESSION_DEAD:
	case SESSION_STATES:
		break;
	}
	return 0;
}

size_t
session_output(struct session *s, char *buffer, size_t size)
{
	assert(size >= SESSION_COMMAND_SIZE);
	if (s->state == SESSION_ENVELOPE)
		return put_envelope(s, buffer, size);
	if (!s->unsent)
		return 0;
	s->unsent = false;
	return put_command(s, buffer, size);
}
