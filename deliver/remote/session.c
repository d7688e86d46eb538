#include "deliver/remote/session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "deliver/remote/session_move.h"

struct session *
session_new(const char *hostname, enum route_kind kind)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->hostname = hostname;
		s->kind = kind;
	}
	return s;
}

void
session_free(struct session **pointer)
{
	free(*pointer);
	*pointer = NULL;
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
	s->batch = t->count < t->most ? t->count : t->most;
	if (s->extensions.rcpt_max > 0 && s->batch > s->extensions.rcpt_max)
		s->batch = (unsigned int)s->extensions.rcpt_max;
	t->most_is_new = false;
	t->host_reports = s->extensions.dsn;
	if (s->extensions.size_limit > 0 &&
	    t->size > s->extensions.size_limit) {
		session_settle_all(s, REPORT_FAILED, REPORT_SCOPE_MESSAGE,
		    session_reason(s,
			"5.3.4 the message has %" PRIu64
			" octets, the host takes %" PRIu64,
			t->size, s->extensions.size_limit));
		return session_done(s);
	}
	session_enter(s, SESSION_ENVELOPE);
	return SESSION_NOTHING;
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
			effect =
			    session_lose(s, "4.5.0 the host spoke no SMTP");
			break;
		case REPLY_COMPLETE:
			s->steps++;
			effect = session_hear(s);
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
		session_enter(s, SESSION_DOT);
}

void
session_quit(struct session *s)
{
	if (s->state == SESSION_READY)
		session_enter(s, SESSION_QUIT);
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
