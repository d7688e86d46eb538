/* Whole dialogues of the client's side of SMTP. */
#include "test.h"

#include <bsd/string.h>

#include "common/limits.h"
#include "script.h"

#define PLAY(recipients, ...)                                      \
	do {                                                       \
		const char *const lines[] = { __VA_ARGS__, NULL }; \
		script(recipients, SMTP_BODY_7BIT, lines);         \
	} while (0)

#define HELLO "> 220 mx.test ESMTP", "< EHLO client.test"
#define GREETED_PLAIN HELLO, "> 250 mx.test"
#define GREETED_PIPELINING HELLO, "> 250-mx.test", "> 250 PIPELINING"

static void
test_one_by_one(void **unused)
{
	(void)unused;
	PLAY(2, "<", GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "<", "> 250 ok",
	    "< RCPT TO:<r0@dst.test>", "<", "> 250 ok",
	    "< RCPT TO:<r1@dst.test>", "<", "> 251 will forward", "< DATA", "<",
	    "> 354 go", "= content", "<", "sent", "#",
	    "> 250 2.0.0 queued as 17", "= done",
	    "# 0 delivered recipient 250 2.0.0 queued as 17",
	    "# 1 delivered recipient 250 2.0.0 queued as 17", "#", "<");
}

static void
test_pipelined(void **unused)
{
	(void)unused;
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA", "<",
	    "> 250 ok", "> 250 ok", "> 550 no such user",
	    "# 1 failed recipient 550 no such user", "> 354 go", "= content",
	    "sent", "> 250 ok", "= done", "# 0 delivered recipient 250 ok",
	    "#");
}

static void
test_parameters(void **unused)
{
	static const char *const all[] = { HELLO, "> 250-mx.test",
		"> 250-SIZE 1000", "> 250 8BITMIME",
		"< MAIL FROM:<s@src.test> SIZE=1000 BODY=8BITMIME", NULL };
	static const char *const none[] = { GREETED_PLAIN,
		"< MAIL FROM:<s@src.test>", NULL };

	(void)unused;
	script(1, SMTP_BODY_8BITMIME, all);
	script(1, SMTP_BODY_8BITMIME, none);
	PLAY(1, HELLO, "> 250-mx.test", "> 250-SIZE", "> 250 8BITMIME",
	    "< MAIL FROM:<s@src.test> SIZE=1000");
	PLAY(1, HELLO, "> 250-mx.test", "> 250 SIZE 0",
	    "< MAIL FROM:<s@src.test> SIZE=1000");
}

/* The connection is good for the next, smaller message. */
static void
test_too_large(void **unused)
{
	static const char first[] = "# 0 failed message 5.3.4 the message has "
				    "1000 octets, the host takes 999";
	static const char second[] = "# 1 failed message 5.3.4 the message has "
				     "1000 octets, the host takes 999";

	(void)unused;
	PLAY(2, HELLO, "> 250-mx.test", "> 250 SIZE 999", "= done", "<", first,
	    second, "#", "quit", "< QUIT", "> 221 bye", "= ended quit");
}

static void
test_helo(void **unused)
{
	(void)unused;
	PLAY(1, HELLO, "> 502 what?", "< HELO client.test", "<",
	    "> 250-mx.test", "> 250 PIPELINING", "< MAIL FROM:<s@src.test>",
	    "<", "> 250 ok", "< RCPT TO:<r0@dst.test>", "<");
}

static void
test_next_message(void **unused)
{
	(void)unused;
	PLAY(1, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< DATA", "> 250 ok", "> 250 ok",
	    "> 354 go", "sent", "> 250 ok", "= done",
	    "# 0 delivered recipient 250 ok", "begin",
	    "< MAIL FROM:<s@src.test>", "< RCPT TO:<r0@dst.test>", "< DATA",
	    "> 250 ok", "> 250 ok", "> 354 go", "= content", "sent",
	    "> 452 full", "= done", "# 0 deferred message 452 full", "begin",
	    "< MAIL FROM:<s@src.test>", "< RCPT TO:<r0@dst.test>", "< DATA");
}

/* Nobody is accepted, but the host asks for the data all the same. */
static void
test_lone_dot(void **unused)
{
	(void)unused;
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 250 ok", "> 550 no", "> 450 later",
	    "# 0 failed recipient 550 no", "# 1 deferred recipient 450 later",
	    "> 354 go", "= nothing", "< .", "<", "> 554 no valid recipients",
	    "= done", "#", "begin", "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< DATA");
	PLAY(1, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< DATA", "> 250 ok", "> 550 no",
	    "> 354 go", "< .", "> 250 ok", "= done",
	    "# 0 failed recipient 550 no", "#");
	/* also after a MAIL that was refused */
	PLAY(1, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< DATA", "> 550 no", "> 250 ok",
	    "> 354 go", "< .", "> 250 ok", "= done",
	    "# 0 failed message 550 no", "#");
}

static void
test_nobody_accepted(void **unused)
{
	(void)unused;
	PLAY(2, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 250 ok",
	    "< RCPT TO:<r0@dst.test>", "> 550 no", "< RCPT TO:<r1@dst.test>",
	    "> 553 no", "= nothing", "< RSET", "<",
	    "# 0 failed recipient 550 no", "# 1 failed recipient 553 no", "#",
	    "> 250 ok", "= done", "begin", "< MAIL FROM:<s@src.test>");
	PLAY(1, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< DATA", "> 250 ok", "> 550 no",
	    "> 503 no recipients", "= nothing", "< RSET", "> 250 ok", "= done",
	    "# 0 failed recipient 550 no", "#");
	/* a host that will not even reset is left */
	PLAY(1, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 250 ok",
	    "< RCPT TO:<r0@dst.test>", "> 550 no", "< RSET", "> 500 what?",
	    "= ended lost", "# 0 failed recipient 550 no", "#");
}

static void
test_mail_refused(void **unused)
{
	(void)unused;
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 550 bad sender", "= nothing",
	    "# 0 failed message 550 bad sender",
	    "# 1 failed message 550 bad sender", "> 503 no", "> 503 no",
	    "= nothing", "> 503 no", "= done", "#", "<");
	PLAY(1, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 550 bad sender",
	    "= done", "# 0 failed message 550 bad sender", "#", "<");
}

static void
test_data_refused(void **unused)
{
	(void)unused;
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 250 ok", "> 550 no", "> 250 ok", "> 451 later",
	    "# 0 failed recipient 550 no", "# 1 deferred message 451 later",
	    "#", "< RSET", "> 250 ok", "= done");
}

/* RFC 5321 4.5.3.1.10: those that were accepted go, the others are left for
 * the next transaction; then so many are offered. */
static void
test_too_many_recipients(void **unused)
{
	(void)unused;
	PLAY(3, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 250 ok",
	    "< RCPT TO:<r0@dst.test>", "> 250 ok", "< RCPT TO:<r1@dst.test>",
	    "> 552 too many", "< RCPT TO:<r2@dst.test>", "> 452 too many", "#",
	    "< DATA", "> 354 go", "= content", "sent", "> 250 ok", "= done",
	    "# 0 delivered recipient 250 ok", "#", "rest",
	    "< MAIL FROM:<s@src.test>", "> 250 ok", "< RCPT TO:<r1@dst.test>",
	    "> 250 ok", "< DATA", "> 354 go", "sent", "> 250 ok", "= done",
	    "# 0 delivered recipient 250 ok", "#", "rest",
	    "< MAIL FROM:<s@src.test>", "> 250 ok", "< RCPT TO:<r2@dst.test>",
	    "> 250 ok", "< DATA");
	/* The code for it, whatever the first digits. */
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 250 ok", "> 250 ok", "> 550 5.5.3 too many", "> 354 go", "sent",
	    "> 250 ok", "= done", "# 0 delivered recipient 250 ok", "#", "rest",
	    "< MAIL FROM:<s@src.test>", "< RCPT TO:<r1@dst.test>", "< DATA");
	/* To the first one it means something else, and waits. */
	PLAY(1, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 250 ok",
	    "< RCPT TO:<r0@dst.test>", "> 552 too many", "< RSET",
	    "# 0 deferred recipient 552 too many", "#");
}

/* A mailbox is full: that is no limit. */
static void
test_full_mailboxes(void **unused)
{
	(void)unused;
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 250 ok", "> 250 ok", "> 452 4.2.2 full",
	    "# 1 deferred recipient 452 4.2.2 full", "#");
	/* Without a word about what it means, it is asked once more. */
	PLAY(4, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>",
	    "< RCPT TO:<r2@dst.test>", "< RCPT TO:<r3@dst.test>", "< DATA",
	    "> 250 ok", "> 250 ok", "> 452 full", "> 250 ok", "> 452 full", "#",
	    "> 354 go", "sent", "> 250 ok", "= done",
	    "# 0 delivered recipient 250 ok", "# 2 delivered recipient 250 ok",
	    "#", "rest", "< MAIL FROM:<s@src.test>", "< RCPT TO:<r1@dst.test>",
	    "< RCPT TO:<r3@dst.test>", "< DATA", "> 250 ok", "> 452 full",
	    "> 452 full", "# 0 deferred recipient 452 full",
	    "# 1 deferred recipient 452 full", "#");
}

/* The message is not wanted: nobody is offered to the host again at once. */
static void
test_too_many_and_refused(void **unused)
{
	(void)unused;
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 250 ok", "> 250 ok", "> 452 too many", "> 354 go", "sent",
	    "> 554 no", "= done", "# 0 failed message 554 no",
	    "# 1 deferred message 554 no", "#");
}

/* RFC 9422 */
static void
test_announced_limit(void **unused)
{
	(void)unused;
	PLAY(3, HELLO, "> 250-mx.test", "> 250-PIPELINING",
	    "> 250 LIMITS MAILMAX=9 RCPTMAX=2", "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 250 ok", "> 550 no", "# 0 failed recipient 550 no", "> 550 no",
	    "# 1 failed recipient 550 no", "> 503 nobody", "< RSET", "> 250 ok",
	    "= done", "#", "rest", "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r2@dst.test>", "< DATA", "> 250 ok", "> 250 ok",
	    "> 354 go", "= content");
}

static void
test_multi_line(void **unused)
{
	(void)unused;
	PLAY(1, "> 220-mx.test", "> 220 no spam please", "< EHLO client.test",
	    "> 250 mx.test", "< MAIL FROM:<s@src.test>", "> 250-really", "<",
	    "> 250 ok", "< RCPT TO:<r0@dst.test>", "> 550-5.1.1 no",
	    "> 550 5.1.1 such user", "# 0 failed recipient 550-5.1.1 no\r",
	    "# 550 5.1.1 such user", "#");
}

/* RFC 5321 3.1 and 4.1.1.10. The message is over before. */
static void
test_goodbye(void **unused)
{
	(void)unused;
	PLAY(1, "> 554 no mail here", "= ended temporary", "< QUIT", "<",
	    "> 221 bye", "= ended quit", "<", "#");
	PLAY(1, "> 521 never", "= ended permanent", "< QUIT", "<");
	PLAY(1, "> 450 busy", "= ended temporary", "< QUIT", "<");
	PLAY(1, HELLO, "> 450 busy", "= ended temporary", "< QUIT", "<");
	PLAY(1, HELLO, "> 500 what?", "< HELO client.test", "> 550 no",
	    "= ended permanent", "< QUIT", "<", "> 421 bye", "= ended quit");
	PLAY(1, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 451 later",
	    "= ended temporary", "< QUIT", "<", "drop", "= ended quit", "#");
	PLAY(1, HELLO, "> 250 client.test", "= ended loop", "< QUIT", "<",
	    "timeout", "= ended quit");
}

/* All replies come before QUIT; none of them is one to it. */
static void
test_goodbye_pipelined(void **unused)
{
#define REFUSED                                                             \
	GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",                     \
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA", \
	    "<", "> 451 later", "= ended temporary", "<", "> 250 ok",       \
	    "= nothing", "<", "> 503 no", "<"
	(void)unused;
	PLAY(2, REFUSED, "> 503 no", "= nothing", "< QUIT", "<", "> 221 bye",
	    "= ended quit", "#");
	/* Content would follow, and QUIT would be that. */
	PLAY(2, REFUSED, "> 354 go", "= ended quit", "<", "#");
	PLAY(2, REFUSED, "> 421 bye", "= ended quit", "<", "#");
	PLAY(2, REFUSED, "> hm", "= ended quit", "<", "#");
	PLAY(2, REFUSED, "timeout", "= ended quit", "<", "#");
#undef REFUSED
}

/* Nobody would hear it, or it would not be taken for what it is. */
static void
test_no_goodbye(void **unused)
{
	(void)unused;
	PLAY(1, "> 421 bye", "= ended lost", "<");
	PLAY(1, "> hm", "= ended lost", "<");
	PLAY(1, "timeout", "= ended lost", "<");
	PLAY(1, "drop", "= ended lost", "<");
	PLAY(1, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 354 go",
	    "= ended lost", "<");
	PLAY(1, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 250 ok",
	    "< RCPT TO:<r0@dst.test>", "> 250 ok", "< DATA", "> 354 go",
	    "= content", "> 554 enough", "= ended lost", "<");
}

static void
test_loop(void **unused)
{
	(void)unused;
	PLAY(1, HELLO, "> 250-Client.Test at your service", "> 250 SIZE",
	    "= ended loop", "< QUIT", "<", "#");
	PLAY(1, HELLO, "> 500 what?", "< HELO client.test", "> 250 client.test",
	    "= ended loop", "< QUIT", "<", "#");
	PLAY(1, HELLO, "> 250 client.test.example", "= nothing",
	    "< MAIL FROM:<s@src.test>");
	/* A filter on this host has its name. */
	PLAY(1, "relay", HELLO, "> 250 client.test", "= nothing",
	    "< MAIL FROM:<s@src.test>");
}

/* Nothing is settled by a host that goes away before the end of the content,
 * and nothing is offered twice after it. */
static void
test_lost_content(void **unused)
{
	static const char doubt[] =
	    "# 1 deferred destination 4.4.2 connection lost (reset) while "
	    "waiting for the reply to the content: it may have been accepted, "
	    "and may arrive twice";

	(void)unused;
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 250 ok", "> 550 no", "> 250 ok", "> 354 go",
	    "# 0 failed recipient 550 no", "drop", "= ended lost", "#");
	PLAY(2, GREETED_PIPELINING, "< MAIL FROM:<s@src.test>",
	    "< RCPT TO:<r0@dst.test>", "< RCPT TO:<r1@dst.test>", "< DATA",
	    "> 250 ok", "> 550 no", "> 250 ok", "> 354 go",
	    "# 0 failed recipient 550 no", "sent", "drop reset", "= ended lost",
	    doubt, "#");
}

static void
test_idle(void **unused)
{
	static const char *const said[] = { "> 421 bye", "> 250 hello?", "> x",
		"drop", "timeout" };

	(void)unused;
	for (size_t i = 0; i < LENGTH(said); i++)
		PLAY(1, GREETED_PLAIN, "< MAIL FROM:<s@src.test>", "> 550 no",
		    "= done", "# 0 failed message 550 no", said[i],
		    "= ended quit", "#", "<");
}

/* A reply that nobody asked for is not taken for the answer to what is said
 * later. */
static void
test_unasked(void **unused)
{
	(void)unused;
	PLAY(1, HELLO, "> 250 mx.test", "< MAIL FROM:<s@src.test>", "> 250 ok",
	    "< RCPT TO:<r0@dst.test>", "> 250 ok", "< DATA", "> 354 go",
	    "> 250 ok", "= ended lost", "#");
}

/* A thousand recipients go out as the buffer has room, in order. */
static void
test_many(void **unused)
{
	struct play p;
	char want[64];
	char *at;

	(void)unused;
	play_open(&p, 1000, SMTP_BODY_7BIT);
	play_say(&p, "220 mx");
	p.said[0] = '\0';
	play_say(&p, "250-mx");
	play_say(&p, "250 PIPELINING");
	at = p.said;
	assert_memory_equal(at, "MAIL FROM:<s@src.test>\r\n", 24);
	at += 24;
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(want, sizeof(want), "RCPT TO:<r%u@dst.test>\r\n", i);
		assert_memory_equal(at, want, strlen(want));
		at += strlen(want);
	}
	assert_string_equal(at, "DATA\r\n");
	for (unsigned int i = 0; i < 1001; i++)
		play_say(&p, "250 ok");
	play_say(&p, "354 go");
	assert_int_equal(p.effect, SESSION_SEND_CONTENT);
	session_content_sent(p.session);
	play_say(&p, "250 ok");
	assert_int_equal(p.effect, SESSION_DONE);
	for (unsigned int i = 0; i < 1000; i++)
		assert_true(p.transaction->recipients[i].settled);
	play_close(&p);
}

/* The greatest addresses fit a command. */
/* A message whose client said all that RFC 3461 has. */
static void
play_open_dsn(struct play *p)
{
	play_open(p, 1, SMTP_BODY_7BIT);
	transaction_free(&p->transaction);
	p->transaction = transaction_new("s@src.test", SMTP_BODY_7BIT, 10, 3);
	assert_non_null(p->transaction);
	transaction_set_dsn(p->transaction, DSN_RET_HDRS, "QQ+20x");
	assert_int_equal(
	    transaction_add(p->transaction, 0, "r0@dst.test",
		DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY, "rfc822;a+2Bb@c.test"),
	    0);
	assert_int_equal(transaction_add(p->transaction, 1, "r1@dst.test",
			     DSN_NOTIFY_NEVER, ""),
	    0);
	assert_int_equal(
	    transaction_add(p->transaction, 2, "r2@dst.test", 0, ""), 0);
}

/* RFC 3461 5.2.1: to a host with DSN as it was given, and nothing else. */
static void
test_dsn_is_passed_on(void **unused)
{
	static const char rcpt[] = "< RCPT TO:<r0@dst.test> "
				   "NOTIFY=SUCCESS,DELAY "
				   "ORCPT=rfc822;a+2Bb@c.test";
	static const char *const lines[] = { HELLO, "> 250-mx.test",
		"> 250-PIPELINING", "> 250 DSN",
		"< MAIL FROM:<s@src.test> RET=HDRS ENVID=QQ+20x", rcpt,
		"< RCPT TO:<r1@dst.test> NOTIFY=NEVER",
		"< RCPT TO:<r2@dst.test>", "< DATA", "<", NULL };
	static const char *const nothing_given[] = { HELLO, "> 250-mx.test",
		"> 250 DSN", "< MAIL FROM:<s@src.test>", "> 250 ok",
		"< RCPT TO:<r0@dst.test>", "<", NULL };
	struct play p;

	(void)unused;
	play_open_dsn(&p);
	script_run(&p, lines);
	assert_true(p.transaction->host_reports);
	play_close(&p);
	script(1, SMTP_BODY_7BIT, nothing_given);
}

/* RFC 3461 5.2.2: to another none of it; the sender stays who it is. */
static void
test_no_dsn_to_who_has_none(void **unused)
{
	static const char *const lines[] = { GREETED_PIPELINING,
		"< MAIL FROM:<s@src.test>", "< RCPT TO:<r0@dst.test>",
		"< RCPT TO:<r1@dst.test>", "< RCPT TO:<r2@dst.test>", "< DATA",
		"<", NULL };
	struct play p;

	(void)unused;
	play_open_dsn(&p);
	p.transaction->host_reports = true; /* so said the host before */
	script_run(&p, lines);
	assert_false(p.transaction->host_reports);
	play_close(&p);
}

static void
test_long_addresses(void **unused)
{
	struct play p;
	char address[LIMIT_PATH + 1];
	char envid[LIMIT_ENVID + 1], orcpt[LIMIT_ORCPT + 1];

	(void)unused;
	memset(address, 'a', LIMIT_PATH);
	address[LIMIT_PATH] = '\0';
	play_open(&p, 1, SMTP_BODY_8BITMIME);
	transaction_free(&p.transaction);
	p.transaction =
	    transaction_new(address, SMTP_BODY_8BITMIME, UINT64_MAX, 1);
	assert_non_null(p.transaction);
	memset(envid, 'e', LIMIT_ENVID);
	envid[LIMIT_ENVID] = '\0';
	memset(orcpt, 'o', LIMIT_ORCPT);
	orcpt[LIMIT_ORCPT] = '\0';
	transaction_set_dsn(p.transaction, DSN_RET_FULL, envid);
	assert_int_equal(
	    transaction_add(p.transaction, 0, address,
		DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY,
		orcpt),
	    0);
	play_say(&p, "220 mx");
	play_say(&p, "250-mx");
	play_say(&p, "250-SIZE");
	play_say(&p, "250-8BITMIME");
	play_say(&p, "250-DSN");
	play_say(&p, "250 PIPELINING");
	assert_non_null(strstr(p.said,
	    "a> SIZE=18446744073709551615 BODY=8BITMIME RET=FULL ENVID=e"));
	assert_non_null(strstr(p.said, "e\r\nRCPT TO:<a"));
	assert_non_null(
	    strstr(p.said, "a> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=o"));
	assert_non_null(strstr(p.said, "o\r\nDATA\r\n"));
	play_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_dsn_is_passed_on),
		cmocka_unit_test(test_no_dsn_to_who_has_none),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_helo),
		cmocka_unit_test(test_next_message),
		cmocka_unit_test(test_lone_dot),
		cmocka_unit_test(test_nobody_accepted),
		cmocka_unit_test(test_mail_refused),
		cmocka_unit_test(test_data_refused),
		cmocka_unit_test(test_too_many_recipients),
		cmocka_unit_test(test_full_mailboxes),
		cmocka_unit_test(test_too_many_and_refused),
		cmocka_unit_test(test_announced_limit),
		cmocka_unit_test(test_multi_line),
		cmocka_unit_test(test_goodbye),
		cmocka_unit_test(test_goodbye_pipelined),
		cmocka_unit_test(test_no_goodbye),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_lost_content),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_long_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
