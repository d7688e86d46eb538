#include "tests/unit/smtpd/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/dsn.h"

static void __attribute__((format(printf, 2, 3)))
note(struct play *p, const char *format, ...)
{
	size_t room = sizeof(p->script) - p->script_length;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(p->script + p->script_length, room, format, arguments);
	va_end(arguments);
	assert_true(n >= 0 && (size_t)n < room);
	p->script_length += (size_t)n;
}

static void
on_reply(void *context, unsigned int code, const char *text)
{
	struct play *p = context;

	assert_in_range(code, 200, 599);
	assert_int_equal(p->closes, 0);
	p->replies++;
	p->last_code = code;
	note(p, "%u %s|", code, text);
}

static void
on_refused(void *context, unsigned int code, const char *text)
{
	struct play *p = context;

	assert_in_range(code, 400, 599);
	assert_non_null(text);
	p->refused++;
}

static int
on_open(void *context, const struct transaction *t)
{
	struct play *p = context;

	assert_int_equal(p->opens, p->ends);
	if (p->fail_open)
		return -1;
	p->opens++;
	p->asked = p->answered = 0;
	note(p, "open %s", t->sender);
	if (t->ret != DSN_RET_NONE)
		note(p, " RET=%s", dsn_ret_name(t->ret));
	if (t->envid[0] != '\0')
		note(p, " ENVID=%s", t->envid);
	note(p, "|");
	return 0;
}

static void
on_recipient(
    void *context, uint32_t number, const struct transaction_recipient *r)
{
	char notify[DSN_NOTIFY_TEXT];
	struct play *p = context;

	assert_int_equal(p->opens, p->ends + 1);
	assert_int_equal(number, p->asked);
	p->asked++;
	note(p, "rcpt %u %s", number, r->address);
	if (r->notify != 0)
		note(p, " NOTIFY=%s", dsn_notify_text(notify, r->notify));
	if (r->orcpt[0] != '\0')
		note(p, " ORCPT=%s", r->orcpt);
	note(p, "|");
}

static int
on_content_begin(void *context, const struct transaction *t)
{
	struct play *p = context;

	assert_int_equal(p->opens, p->ends + 1);
	assert_true(t->accepted > 0);
	assert_true(t->id == PLAY_ID);
	if (p->fail_begin)
		return -1;
	p->begun++;
	p->content_length = 0;
	return 0;
}

static int
on_content_add(void *context, const uint8_t *data, size_t length)
{
	struct play *p = context;

	assert_int_equal(p->opens, p->ends + 1);
	assert_false(p->router_has_content);
	if (p->fail_add)
		return -1;
	assert_true(length <= sizeof(p->content) - p->content_length);
	memcpy(p->content + p->content_length, data, length);
	p->content_length += length;
	return 0;
}

static int
on_content_send(void *context, unsigned int hops)
{
	struct play *p = context;

	assert_int_equal(p->opens, p->ends + 1);
	assert_false(p->router_has_content);
	if (p->fail_send)
		return -1;
	p->sent++;
	p->router_has_content = true;
	note(p, "content %zu %u|", p->content_length, hops);
	return 0;
}

static void
on_end(void *context, enum session_end why)
{
	struct play *p = context;

	p->ends++;
	assert_int_equal(p->opens, p->ends);
	p->router_has_content = false;
	p->last_end = why;
	p->asked = p->answered = 0;
	note(p, "end %d|", (int)why);
}

static void
on_close(void *context)
{
	struct play *p = context;

	p->closes++;
	assert_int_equal(p->closes, 1);
	note(p, "close|");
}

static const struct session_effects effects = {
	.reply = on_reply,
	.refused = on_refused,
	.open = on_open,
	.recipient = on_recipient,
	.content_begin = on_content_begin,
	.content_add = on_content_add,
	.content_send = on_content_send,
	.end = on_end,
	.close = on_close,
};

void
play_connect(struct play *p, unsigned int recipients)
{
	static struct session_rules rules = { .hostname = "mx.test",
		.size = 1000 };

	rules.recipients = recipients;
	memset(p, 0, sizeof(*p));
	p->session = session_new(&rules, &effects, p);
	assert_non_null(p->session);
}

void
play_begin(struct play *p)
{
	play_connect(p, 3);
	session_start(p->session, false);
}

void
play_end(struct play *p)
{
	session_free(&p->session);
	assert_null(p->session);
	assert_int_equal(p->opens, p->ends);
}

/* Offers what is left of the input, as long as some of it is taken. */
static void
offer(struct play *p)
{
	size_t taken;

	taken = session_input(p->session, p->input, p->input_length);
	assert_true(taken <= p->input_length);
	p->input_length -= taken;
	memmove(p->input, p->input + taken, p->input_length);
}

void
play_say_octets(struct play *p, const void *octets, size_t length)
{
	assert_true(length <= sizeof(p->input) - p->input_length);
	memcpy(p->input + p->input_length, octets, length);
	p->input_length += length;
	offer(p);
}

void
play_say(struct play *p, const char *text)
{
	play_say_octets(p, text, strlen(text));
}

void
play_verdict(struct play *p, unsigned int code)
{
	assert_true(p->answered < p->asked);
	p->answered++;
	assert_int_equal(session_verdict(p->session, p->answered - 1, PLAY_ID,
			     code, "verdict"),
	    0);
	offer(p);
}

void
play_outcome(struct play *p, unsigned int code)
{
	assert_int_equal(session_outcome(p->session, code, "outcome"), 0);
	offer(p);
}

bool
play_message(struct play *p)
{
	unsigned int sent = p->sent;

	play_say(p, "MAIL FROM:<a@b.example>\r\n");
	play_say(p, "RCPT TO:<c@d.example>\r\n");
	if (p->asked == 0)
		return false;
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_say(p, "x\r\n.\r\n");
	if (p->sent != sent + 1)
		return false;
	play_outcome(p, 250);
	return p->last_code == 250;
}

const char *
play_script(struct play *p)
{
	p->script[p->script_length] = '\0';
	p->script_length = 0;
	return p->script;
}
