/* The session, as stories: what the client and the router say, and what the
 * session does about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>
#include <cmocka.h>

#include "common/limits.h"
#include "tests/unit/smtpd/play.h"

#define LATER "451 4.3.0 Try again later|"
#define GO "354 End with a dot on a line by itself|"

static struct play stage;

static int
begin(void **state)
{
	*state = &stage;
	play_begin(&stage);
	return 0;
}

/* Greeted already. */
static int
begin_ready(void **state)
{
	begin(state);
	play_say(&stage, "EHLO a.example\r\n");
	play_script(&stage);
	return 0;
}

static int
end(void **state)
{
	play_end(*state);
	return 0;
}

static void
expect(struct play *p, const char *script)
{
	assert_string_equal(play_script(p), script);
}

static void
test_greeting(void **state)
{
	struct play *p = *state;

	expect(p, "220 mx.test ESMTP postern|");
	play_say(p, "EHLO a.example\r\n");
	expect(p, "250 mx.test\r\nPIPELINING\r\nSIZE 1000\r\n8BITMIME\r\n"
		  "DSN\r\nENHANCEDSTATUSCODES|");
	assert_int_equal(session_protocol(p->session), SMTP_PROTOCOL_ESMTP);
	play_say(p, "HELO b.example\r\n");
	expect(p, "250 mx.test|");
	assert_string_equal(session_helo(p->session), "b.example");
	assert_int_equal(session_protocol(p->session), SMTP_PROTOCOL_SMTP);
	/* One that is refused changes nothing. */
	play_say(p, "EHLO\r\n");
	assert_int_equal(p->last_code, 501);
	assert_string_equal(session_helo(p->session), "b.example");
	assert_int_equal(session_protocol(p->session), SMTP_PROTOCOL_SMTP);
}

static void
test_message(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<a@b.example> SIZE=5 BODY=8BITMIME\r\n");
	expect(p, "250 2.1.0 Ok|");
	play_say(p, "RCPT TO:<c@d.example>\r\n");
	expect(p, "open a@b.example|rcpt 0 c@d.example|");
	play_verdict(p, 250);
	expect(p, "250 verdict|");
	play_say(p, "DATA\r\n");
	expect(p, GO);
	play_say(p, "Received: x\r\n\r\n..\r\n.\r\n");
	expect(p, "content 18 1|");
	assert_memory_equal(p->content, "Received: x\r\n\r\n.\r\n", 18);
	play_outcome(p, 250);
	expect(p, "250 outcome|end 0|");
	assert_int_equal(session_state(p->session), SESSION_READY);
	assert_true(play_message(p));
	play_script(p);
	play_say(p, "QUIT\r\n");
	expect(p, "221 2.0.0 Bye|close|");
}

/* A pipelined group reaches the router without waiting, and is answered in
 * order; its DATA waits for all verdicts. */
/* RFC 3461: what the client wishes reaches the router, and no other message
 * has it. */
static void
test_dsn(void **state)
{
	struct play *p = *state;

	play_script(p);
	play_say(p, "MAIL FROM:<a@b.example> RET=HDRS ENVID=QQ+20x\r\n"
		    "RCPT TO:<c@d.example> NOTIFY=SUCCESS,DELAY "
		    "ORCPT=rfc822;c@d.example\r\n");
	expect(p, "250 2.1.0 Ok|open a@b.example RET=HDRS ENVID=QQ+20x|"
		  "rcpt 0 c@d.example NOTIFY=SUCCESS,DELAY "
		  "ORCPT=rfc822;c@d.example|");
	play_verdict(p, 250);
	play_script(p);
	play_say(p, "RCPT TO:<e@f.example>\r\n");
	expect(p, "rcpt 1 e@f.example|");
	play_verdict(p, 250);
	play_say(p, "RSET\r\n");
	play_script(p);
	play_say(p, "MAIL FROM:<a@b.example>\r\nRCPT TO:<e@f.example>\r\n");
	expect(p, "250 2.1.0 Ok|open a@b.example|rcpt 0 e@f.example|");
	play_verdict(p, 250);
}

/* The parameters count in the line like all else. */
static void
test_dsn_line_too_long(void **state)
{
	struct play *p = *state;
	char line[LIMIT_COMMAND_LINE + 64];

	play_script(p);
	snprintf(line, sizeof(line), "MAIL FROM:<> ENVID=%0*d\r\n",
	    LIMIT_COMMAND_LINE, 0);
	play_say(p, line);
	assert_int_equal(p->last_code, 500);
	play_say(p, "MAIL FROM:<> ENVID=a+\r\n");
	assert_int_equal(p->last_code, 501);
	assert_int_equal(p->opens, 0);
}

static void
test_pipelining(void **state)
{
	struct play *p = *state;

	play_say(p,
	    "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n"
	    "RCPT TO:<c@d.example>\r\nRCPT TO:<>\r\nRCPT TO:<e@f.example>\r\n"
	    "DATA\r\n");
	/* The third is refused here, so it waits for the first two. */
	expect(p, "250 2.1.0 Ok|open |rcpt 0 a@b.example|rcpt 1 c@d.example|");
	play_verdict(p, 550);
	expect(p, "550 verdict|");
	play_verdict(p, 250);
	expect(p, "250 verdict|501 5.1.3 Bad recipient address syntax|"
		  "rcpt 2 e@f.example|");
	play_verdict(p, 451);
	expect(p, "451 verdict|" GO);
	play_say(p, ".\r\n");
	expect(p, "content 0 0|");
	/* The next message may be in the input already. */
	play_say(p, "RSET\r\nNOOP\r\n");
	expect(p, "");
	play_outcome(p, 452);
	expect(p, "452 outcome|end 0|250 2.0.0 Ok|250 2.0.0 Ok|");
}

/* Only so many wait for the router; the others wait in the input. */
static void
test_pending_bound(void **state)
{
	struct play *p = *state;

	play_end(p);
	play_connect(p, 1000);
	session_start(p->session, false);
	play_say(p, "EHLO a.example\r\n");
	play_say(p, "MAIL FROM:<>\r\n");
	for (int i = 0; i < 2 * SESSION_PENDING; i++)
		play_say(p, "RCPT TO:<a@b.example>\r\n");
	assert_int_equal(p->asked, SESSION_PENDING);
	for (uint32_t i = 1; i <= SESSION_PENDING; i++) {
		play_verdict(p, 250);
		assert_int_equal(p->asked, SESSION_PENDING + i);
	}
}

/* What was said before the greeting is never looked at. */
static void
test_early_talker(void **state)
{
	struct play *p = *state;

	play_end(p);
	play_connect(p, 3);
	play_say(p, "EHLO a.example\r\n");
	expect(p, "");
	session_start(p->session, true);
	expect(p, "554 5.5.1 Wait for the greeting|close|");
	play_say(p, "QUIT\r\n");
	expect(p, "");
	assert_int_equal(p->input_length, 0);
}

/* No more RCPTs than the limit are even asked for; a refused one leaves room
 * for another. */
static void
test_recipients(void **state)
{
	struct play *p = *state;

	play_say(p,
	    "MAIL FROM:<>\r\nRCPT TO:<1@b.example>\r\nRCPT TO:<2@b.example>\r\n"
	    "RCPT TO:<3@b.example>\r\nRCPT TO:<4@b.example>\r\n"
	    "RCPT TO:<5@b.example>\r\n");
	expect(p, "250 2.1.0 Ok|open |rcpt 0 1@b.example|rcpt 1 2@b.example|"
		  "rcpt 2 3@b.example|");
	play_verdict(p, 250);
	expect(p, "250 verdict|");
	play_verdict(p, 550);
	expect(p, "550 verdict|rcpt 3 4@b.example|");
	play_verdict(p, 250);
	play_verdict(p, 250);
	expect(p, "250 verdict|250 verdict|452 4.5.3 Too many recipients|");
	assert_int_equal(session_transaction(p->session)->accepted, 3);
}

/* What stands behind a command whose reply decides how to go on. */
static void
test_not_in_step(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_script(p);
	play_say(
	    p, "DATA\r\nSubject: x\r\n.\r\nMAIL FROM:<evil@b.example>\r\n");
	expect(p, "503 5.5.1 Wait for the reply|end 2|close|");
	assert_int_equal(p->sent, 0);
}

static void
test_data_refused_not_in_step(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n"
		    "MAIL FROM:<evil@b.example>\r\n.\r\n");
	play_script(p);
	play_verdict(p, 550);
	expect(p, "550 verdict|503 5.5.1 Wait for the reply|end 2|close|");
	play_say(p, "NOOP\r\n");
	expect(p, "");
}

/* A browser that a web page sent here: nothing behind it is a command. */
static void
test_http(void **state)
{
	struct play *p = *state;

	play_say(p, "GET / HTTP/1.1\r\nHost: mx.test\r\n\r\nMAIL FROM:<>\r\n");
	expect(p, "554 5.5.1 This is not a web server|close|");
	assert_int_equal(p->input_length, 0);
}

static void
test_data_refusals(void **state)
{
	static const struct {
		const char *content, *reply;
	} rows[] = {
		{ "a\nb\r\n.\r\n",
		    "550 5.5.2 The message has a bare CR or bare LF|end 4|" },
		{ "a\rb\r\n.\r\n",
		    "550 5.5.2 The message has a bare CR or bare LF|end 4|" },
		{ "a\r\n.\nRSET\r\n.\r\n",
		    "550 5.5.2 The message has a bare CR or bare LF|end 4|" },
	};
	struct play *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
		play_verdict(p, 250);
		play_say(p, "DATA\r\n");
		play_script(p);
		play_say(p, rows[i].content);
		expect(p, rows[i].reply);
		assert_true(play_message(p));
		play_script(p);
	}
}

static void
test_nul(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_script(p);
	play_say_octets(p, "a\0b\r\n.\r\n", 8);
	expect(p, "550 5.6.0 The message has a NUL octet|end 4|");
	assert_true(play_message(p));
}

static void
test_size(void **state)
{
	struct play *p = *state;
	char content[1100];

	play_say(p, "MAIL FROM:<> SIZE=1001\r\n");
	expect(p, "552 5.3.4 The message is too big|");
	play_say(p, "MAIL FROM:<> SIZE=1000\r\n");
	expect(p, "250 2.1.0 Ok|");
	play_say(p, "RCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_script(p);
	memset(content, 'x', sizeof(content));
	memcpy(content + sizeof(content) - 6, "\r\n.\r\n", 6);
	play_say(p, content);
	expect(p, "552 5.3.4 The message is too big|end 4|");
	assert_true(p->content_length <= 1000);
	assert_true(play_message(p));
}

/* -- Command lines --------------------------------------------------------- */

static void
test_long_line(void **state)
{
	struct play *p = *state;
	static char line[3 * LIMIT_COMMAND_LINE];

	/* The longest that is taken. */
	memset(line, 'x', sizeof(line));
	line[0] = 'N';
	line[1] = line[2] = 'O';
	line[3] = 'P';
	line[4] = ' ';
	line[LIMIT_COMMAND_LINE - 2] = '\r';
	line[LIMIT_COMMAND_LINE - 1] = '\n';
	play_say_octets(p, line, LIMIT_COMMAND_LINE);
	expect(p, "250 2.0.0 Ok|");
	assert_int_equal(p->input_length, 0);
	/* One more, and many more, in pieces. */
	for (size_t length = LIMIT_COMMAND_LINE - 1; length < sizeof(line) - 2;
	     length += 1013) {
		memset(line, 'x', sizeof(line));
		for (size_t at = 0; at < length; at += 500)
			play_say_octets(p, line + at,
			    length - at < 500 ? length - at : 500);
		expect(p, "");
		play_say(p, "\r\n");
		expect(p, "500 5.5.2 Line too long|");
		play_say(p, "NOOP\r\n");
		expect(p, "250 2.0.0 Ok|");
	}
}

/* A long line never hides a command: neither LF nor a split changes that. */
static void
test_long_line_with_newlines(void **state)
{
	struct play *p = *state;
	static char line[LIMIT_COMMAND_LINE + 1];

	memset(line, 'x', sizeof(line));
	play_say_octets(p, line, sizeof(line));
	play_say(p, "\nRSET\nQUIT\rQUIT\r");
	play_say(p, "x\r");
	expect(p, "");
	play_say(p, "\nNOOP\r\n");
	expect(p, "500 5.5.2 Line too long|250 2.0.0 Ok|");
}

static void
test_bare_lf(void **state)
{
	struct play *p = *state;

	/* Answered at once; and what follows is the same line. */
	play_say(p, "NOOP\n");
	expect(p, "500 5.5.2 Lines end in CR LF, not in LF|");
	play_say(p, "QUIT\nQUIT\n");
	play_say(p, "QUIT\r");
	expect(p, "");
	play_say(p, "\nNOOP\r\n");
	expect(p, "250 2.0.0 Ok|");
	play_say(p, "\nRSET\r\nNOOP\r\n");
	expect(p, "500 5.5.2 Lines end in CR LF, not in LF|250 2.0.0 Ok|");
	play_say(p, "NOOP\r\r\n");
	expect(p, "500 5.5.2 Command has illegal octets|");
	play_say(p, "NO\rOP\r\n");
	expect(p, "500 5.5.2 Command has illegal octets|");
	play_say_octets(p, "NOOP\0\r\n", 7);
	expect(p, "500 5.5.2 Command has illegal octets|");
}

/* The same story in pieces of every size makes the same script. */
static void
test_splits(void **state)
{
	static const char story[] =
	    "NOOP\r\nFOO\r\nNOOP\nx\r\nVRFY a\r\nMAIL FROM:<a@b.example>\r\n"
	    "RSET\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nHELP\r\n";
	static char whole[16384];
	struct play *p = *state;

	play_say(p, story);
	strlcpy(whole, play_script(p), sizeof(whole));
	for (size_t step = 1; step < sizeof(story); step++) {
		play_end(p);
		play_begin(p);
		play_say(p, "EHLO a.example\r\n");
		play_script(p);
		for (size_t at = 0; at < sizeof(story) - 1; at += step)
			play_say_octets(p, story + at,
			    sizeof(story) - 1 - at < step
				? sizeof(story) - 1 - at
				: step);
		expect(p, whole);
	}
}

/* -- Patience and its end -------------------------------------------------- */

static void
test_errors(void **state)
{
	struct play *p = *state;

	for (int i = 1; i < SESSION_ERRORS; i++) {
		play_say(p, "FOO\r\n");
		assert_int_equal(p->last_code, 500);
	}
	play_script(p);
	play_say(p, "FOO\r\nNOOP\r\n");
	expect(p, "421 4.7.0 Too many errors|close|");
}

/* A message that was accepted wipes the slate. */
static void
test_errors_forgiven(void **state)
{
	struct play *p = *state;

	for (int round = 0; round < 3; round++) {
		for (int i = 1; i < SESSION_ERRORS; i++)
			play_say(p, "FOO\r\n");
		assert_true(play_message(p));
		play_script(p);
	}
	assert_int_equal(p->closes, 0);
}

static void
test_guessing(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\n");
	for (int i = 1; i < SESSION_REFUSED; i++) {
		play_say(p, "RCPT TO:<a@b.example>\r\n");
		play_verdict(p, 550);
		play_script(p);
	}
	play_say(p, "RCPT TO:<a@b.example>\r\n");
	play_script(p);
	play_verdict(p, 550);
	expect(p, "421 4.7.0 Too many unknown recipients|end 2|close|");
}

static void
test_junk(void **state)
{
	struct play *p = *state;

	/* begin_ready said EHLO. */
	for (int i = 1; i < SESSION_JUNK; i++) {
		play_say(p, "NOOP\r\n");
		assert_int_equal(p->last_code, 250);
		play_script(p);
	}
	play_say(p, "RSET\r\nNOOP\r\n");
	expect(p, "421 4.7.0 Too many commands without mail|close|");
}

static void
test_timeouts(void **state)
{
	struct play *p = *state;

	/* The router does not answer a recipient: the client may go on. */
	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n"
		    "RCPT TO:<b@b.example>\r\nDATA\r\n");
	play_script(p);
	assert_int_equal(session_turn(p->session), SESSION_TURN_ROUTER);
	session_timeout(p->session);
	expect(p, "end 5|" LATER LATER);
	play_say(p, "");
	expect(p, LATER);
	assert_int_equal(session_state(p->session), SESSION_READY);

	/* Nor the content. */
	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_say(p, ".\r\n");
	play_script(p);
	session_timeout(p->session);
	expect(p, "end 5|" LATER);
	assert_true(play_message(p));
	play_script(p);

	/* The client does not send its content. */
	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_say(p, "x");
	play_script(p);
	assert_int_equal(session_turn(p->session), SESSION_TURN_DATA);
	session_timeout(p->session);
	expect(p, "end 5|421 4.4.2 Timed out|close|");
	session_timeout(p->session);
	expect(p, "");
}

static void
test_idle(void **state)
{
	struct play *p = *state;

	session_timeout(p->session);
	expect(p, "421 4.4.2 Timed out|close|");
}

/* -- The router goes, or lies ---------------------------------------------- */

static void
test_router_lost(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n"
		    "RCPT TO:<b@b.example>\r\n");
	play_verdict(p, 250);
	play_script(p);
	session_router_lost(p->session);
	expect(p, "end 1|" LATER);
	/* What it had accepted is gone with it. */
	play_say(p, "RCPT TO:<c@b.example>\r\n");
	expect(p, LATER);
	play_say(p, "DATA\r\n");
	expect(p, LATER);
	assert_true(play_message(p));
	play_script(p);

	/* In the middle of the content: it is read to its end. */
	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_say(p, "x\r\n");
	play_script(p);
	session_router_lost(p->session);
	expect(p, "end 1|");
	play_say(p, "RSET\r\n.\r\n");
	expect(p, LATER);
	assert_true(play_message(p));
	play_script(p);

	/* When it has the content. */
	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_say(p, ".\r\n");
	play_script(p);
	session_router_lost(p->session);
	expect(p, "end 1|" LATER);
	assert_true(play_message(p));
}

static void
test_router_absent(void **state)
{
	struct play *p = *state;

	p->fail_open = true;
	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	expect(p, "250 2.1.0 Ok|" LATER);
	play_say(p, "DATA\r\n");
	expect(p, "503 5.5.1 Send RCPT first|");
	/* It comes back: the same transaction can go on. */
	p->fail_open = false;
	play_say(p, "RCPT TO:<b@b.example>\r\n");
	expect(p, "open |rcpt 0 b@b.example|");
	assert_string_equal(
	    session_transaction(p->session)->first, "b@b.example");
}

static void
test_router_lies(void **state)
{
	struct play *p = *state;
	struct session *s = p->session;

	/* Nothing was asked. */
	assert_int_equal(session_verdict(s, 0, PLAY_ID, 250, ""), -1);
	assert_int_equal(session_outcome(s, 250, ""), -1);
	play_say(p, "MAIL FROM:<>\r\n");
	assert_int_equal(session_verdict(s, 0, PLAY_ID, 250, ""), -1);
	play_say(p, "RCPT TO:<a@b.example>\r\nRCPT TO:<b@b.example>\r\n");
	play_script(p);
	/* The wrong question, no id, codes that a verdict may not have. */
	assert_int_equal(session_verdict(s, 1, PLAY_ID, 250, ""), -1);
	assert_int_equal(session_verdict(s, 0, 0, 250, ""), -1);
	assert_int_equal(session_verdict(s, 0, PLAY_ID, 0, ""), -1);
	assert_int_equal(session_verdict(s, 0, PLAY_ID, 220, ""), -1);
	assert_int_equal(session_verdict(s, 0, PLAY_ID, 354, ""), -1);
	assert_int_equal(session_verdict(s, 0, PLAY_ID, 600, ""), -1);
	assert_int_equal(session_verdict(s, 0, PLAY_ID, 65535, ""), -1);
	assert_int_equal(session_outcome(s, 250, ""), -1);
	expect(p, "");
	play_verdict(p, 250);
	/* Another id for the same transaction. */
	assert_int_equal(session_verdict(s, 1, PLAY_ID + 1, 250, ""), -1);
	play_verdict(p, 250);
	assert_int_equal(session_verdict(s, 2, PLAY_ID, 250, ""), -1);
	play_say(p, "DATA\r\n");
	assert_int_equal(session_verdict(s, 2, PLAY_ID, 250, ""), -1);
	assert_int_equal(session_outcome(s, 250, ""), -1);
	play_say(p, ".\r\n");
	assert_int_equal(session_outcome(s, 354, ""), -1);
	assert_int_equal(session_verdict(s, 2, PLAY_ID, 250, ""), -1);
	play_script(p);
	play_outcome(p, 550);
	expect(p, "550 outcome|end 0|");
	assert_int_equal(session_outcome(s, 250, ""), -1);
}

/* -- Lacks ----------------------------------------------------------------- */

static void
test_no_room(void **state)
{
	struct play *p = *state;
	const struct {
		bool *lack;
		const char *data, *dot;
	} rows[] = {
		{ &p->fail_begin, "452 4.3.1 No room for it now|end 2|",
		    "500 5.5.2 Command not recognized|" },
		{ &p->fail_add, GO, "452 4.3.1 No room for it now|end 4|" },
		{ &p->fail_send, GO, LATER "end 4|" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*rows[i].lack = true;
		play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
		play_verdict(p, 250);
		play_script(p);
		play_say(p, "DATA\r\n");
		expect(p, rows[i].data);
		if (session_state(p->session) == SESSION_DATA)
			play_say(p, "x\r\n");
		play_say(p, ".\r\n");
		expect(p, rows[i].dot);
		*rows[i].lack = false;
		assert_true(play_message(p));
		play_script(p);
	}
}

/* -- Drain ----------------------------------------------------------------- */

static void
test_drain_idle(void **state)
{
	struct play *p = *state;

	session_drain(p->session);
	expect(p, "421 4.3.2 Restarting, please come again|close|");
}

static void
test_drain_in_transaction(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\n");
	session_drain(p->session);
	play_say(p, "RCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_say(p, ".\r\n");
	play_script(p);
	play_outcome(p, 250);
	expect(p, "250 outcome|end 0|421 4.3.2 Restarting, please come again|"
		  "close|");
}

static void
test_drain_reset(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\n");
	session_drain(p->session);
	play_script(p);
	play_say(p, "RSET\r\nMAIL FROM:<>\r\n");
	expect(
	    p, "250 2.0.0 Ok|421 4.3.2 Restarting, please come again|close|");
}

static void
test_stop(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	play_verdict(p, 250);
	play_say(p, "DATA\r\n");
	play_say(p, "x");
	play_script(p);
	session_stop(p->session);
	expect(p, "421 4.3.2 Restarting, please come again|end 2|close|");
}

/* The client goes away in the middle: play_end() checks the rest. */
static void
test_gone(void **state)
{
	struct play *p = *state;

	play_say(p, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
	session_free(&p->session);
	assert_int_equal(p->last_end, SESSION_END_GONE);
	play_begin(p);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin_ready, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_greeting, begin, end),
		STORY(test_message),
		STORY(test_dsn),
		STORY(test_dsn_line_too_long),
		STORY(test_pipelining),
		STORY(test_pending_bound),
		STORY(test_recipients),
		STORY(test_not_in_step),
		STORY(test_data_refused_not_in_step),
		STORY(test_early_talker),
		STORY(test_http),
		STORY(test_data_refusals),
		STORY(test_nul),
		STORY(test_size),
		STORY(test_long_line),
		STORY(test_long_line_with_newlines),
		STORY(test_bare_lf),
		STORY(test_splits),
		STORY(test_errors),
		STORY(test_errors_forgiven),
		STORY(test_guessing),
		STORY(test_junk),
		STORY(test_timeouts),
		STORY(test_idle),
		STORY(test_router_lost),
		STORY(test_router_absent),
		STORY(test_router_lies),
		STORY(test_no_room),
		STORY(test_drain_idle),
		STORY(test_drain_in_transaction),
		STORY(test_drain_reset),
		STORY(test_stop),
		STORY(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
