#include "smtpd/session_content.h"

#include "smtpd/session_core.h"

void
session_begin_content(struct session *s)
{
	if (s->effects->content_begin(s->context, s->transaction) == -1) {
		session_refuse(s, 452, "4.3.1 No room for it now");
		session_end_transaction(s, SESSION_END_RESET);
		return;
	}
	data_start(&s->data, s->rules->size);
	session_set_state(s, SESSION_DATA);
	session_reply(s, 354, "End with a dot on a line by itself");
}

static int
keep_content(void *context, const uint8_t *data, size_t length)
{
	struct session *s = context;

	return s->transaction->lost
		   ? 0
		   : s->effects->content_add(s->context, data, length);
}

void
session_say_refusal(struct session *s)
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
}

static void
finish_data(struct session *s)
{
	if (s->data.refusal != DATA_GOOD) {
		session_say_refusal(s);
		session_end_transaction(s, SESSION_END_CONTENT);
	} else if (s->transaction->lost ||
		   s->effects->content_send(s->context, s->data.hops) == -1) {
		session_refuse(s, 451, "4.3.0 Try again later");
		session_end_transaction(s, SESSION_END_CONTENT);
	} else
		session_set_state(s, SESSION_OUTCOME);
}

size_t
session_take_content(struct session *s, const uint8_t *in, size_t length)
{
	size_t taken = data_decode(&s->data, in, length, keep_content, s);

	if (s->data.state == DATA_END)
		finish_data(s);
	return taken;
}
