#include "smtpd/session_core.h"

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

void
session_part_from_router(struct session *s, enum session_end why)
{
	struct transaction *t = s->transaction;

	if (t == NULL || !t->opened)
		return;
	t->opened = false;
	s->effects->end(s->context, why);
}

void
session_end_transaction(struct session *s, enum session_end why)
{
	if (s->transaction == NULL)
		return;
	session_part_from_router(s, why);
	transaction_free(&s->transaction);
	session_set_state(s, SESSION_READY);
}

unsigned int
session_pending(const struct session *s)
{
	return transaction_pending(s->transaction);
}
