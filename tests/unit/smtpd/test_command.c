/* The parser of command lines, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/command.h"

struct row {
	const char *line;
	enum command_verb verb;
	unsigned int code; /* 0: good */
	const char *text;  /* the argument, or the path */
	uint64_t size;
	enum smtp_body body;
};

static const struct row rows[] = {
	/* verbs */
	{ "NOOP", COMMAND_NOOP, 0, "", 0, 0 },
	{ "noop", COMMAND_NOOP, 0, "", 0, 0 },
	{ "nOoP anything at all", COMMAND_NOOP, 0, "", 0, 0 },
	{ "NOOP  ", COMMAND_NOOP, 0, "", 0, 0 },
	{ "NOOPX", COMMAND_UNKNOWN, 0, "", 0, 0 },
	{ "NOO", COMMAND_UNKNOWN, 0, "", 0, 0 },
	{ "", COMMAND_UNKNOWN, 0, "", 0, 0 },
	{ " ", COMMAND_UNKNOWN, 0, "", 0, 0 },
	{ " NOOP", COMMAND_UNKNOWN, 0, "", 0, 0 },
	{ "NOOP\tx", COMMAND_MALFORMED, 0, "", 0, 0 },
	{ "NOOP \x80", COMMAND_MALFORMED, 0, "", 0, 0 },
	{ "NOOP \x7f", COMMAND_MALFORMED, 0, "", 0, 0 },
	{ "NOOP \r", COMMAND_MALFORMED, 0, "", 0, 0 },
	{ "NOOP\nNOOP", COMMAND_MALFORMED, 0, "", 0, 0 },
	{ "DATA", COMMAND_DATA, 0, "", 0, 0 },
	{ "DATA ", COMMAND_DATA, 0, "", 0, 0 },
	{ "DATA x", COMMAND_DATA, 501, "", 0, 0 },
	{ "RSET", COMMAND_RSET, 0, "", 0, 0 },
	{ "RSET x", COMMAND_RSET, 501, "", 0, 0 },
	{ "QUIT", COMMAND_QUIT, 0, "", 0, 0 },
	{ "QUIT x", COMMAND_QUIT, 501, "", 0, 0 },
	{ "HELP", COMMAND_HELP, 0, "", 0, 0 },
	{ "HELP MAIL", COMMAND_HELP, 0, "", 0, 0 },
	{ "VRFY joe", COMMAND_VRFY, 0, "joe", 0, 0 },
	{ "VRFY", COMMAND_VRFY, 501, "", 0, 0 },
	{ "EXPN list", COMMAND_ABSENT, 0, "", 0, 0 },
	{ "ETRN x", COMMAND_ABSENT, 0, "", 0, 0 },
	{ "TURN", COMMAND_ABSENT, 0, "", 0, 0 },
	{ "STARTTLS", COMMAND_ABSENT, 0, "", 0, 0 },
	{ "AUTH PLAIN", COMMAND_ABSENT, 0, "", 0, 0 },
	{ "BDAT 5 LAST", COMMAND_ABSENT, 0, "", 0, 0 },
	{ "GET / HTTP/1.1", COMMAND_HTTP, 0, "", 0, 0 },
	{ "POST / HTTP/1.1", COMMAND_HTTP, 0, "", 0, 0 },
	{ "PUT /x HTTP/1.0", COMMAND_HTTP, 0, "", 0, 0 },
	{ "HEAD / HTTP/1.0", COMMAND_HTTP, 0, "", 0, 0 },
	{ "CONNECT a:25 HTTP/1.1", COMMAND_HTTP, 0, "", 0, 0 },
	{ "OPTIONS * HTTP/1.1", COMMAND_HTTP, 0, "", 0, 0 },
	{ "PRI * HTTP/2.0", COMMAND_HTTP, 0, "", 0, 0 },
	{ "Host: mx.example.org", COMMAND_HTTP, 0, "", 0, 0 },
	{ "GETX", COMMAND_UNKNOWN, 0, "", 0, 0 },

	/* greetings */
	{ "EHLO mx.example.org", COMMAND_EHLO, 0, "mx.example.org", 0, 0 },
	{ "ehlo MX.Example.ORG ", COMMAND_EHLO, 0, "MX.Example.ORG", 0, 0 },
	{ "HELO localhost", COMMAND_HELO, 0, "localhost", 0, 0 },
	{ "HELO some_host.lan", COMMAND_HELO, 0, "some_host.lan", 0, 0 },
	{ "EHLO [192.0.2.1]", COMMAND_EHLO, 0, "[192.0.2.1]", 0, 0 },
	{ "EHLO [IPv6:2001:db8::1]", COMMAND_EHLO, 0, "[IPv6:2001:db8::1]", 0,
	    0 },
	{ "EHLO", COMMAND_EHLO, 501, "", 0, 0 },
	{ "EHLO ", COMMAND_EHLO, 501, "", 0, 0 },
	{ "HELO", COMMAND_HELO, 501, "", 0, 0 },
	{ "EHLO a b", COMMAND_EHLO, 501, "", 0, 0 },
	{ "EHLO a..b", COMMAND_EHLO, 501, "", 0, 0 },
	{ "EHLO -a", COMMAND_EHLO, 501, "", 0, 0 },
	{ "EHLO [192.0.2.1", COMMAND_EHLO, 501, "", 0, 0 },
	{ "EHLO [192.0.2.256]", COMMAND_EHLO, 501, "", 0, 0 },
	{ "EHLO (x)", COMMAND_EHLO, 501, "", 0, 0 },
	{ "EHLO a;b", COMMAND_EHLO, 501, "", 0, 0 },

	/* MAIL */
	{ "MAIL FROM:<>", COMMAND_MAIL, 0, "", 0, 0 },
	{ "mail from:<a@b.example>", COMMAND_MAIL, 0, "a@b.example", 0, 0 },
	{ "MAIL FROM: <a@b.example>", COMMAND_MAIL, 0, "a@b.example", 0, 0 },
	{ "MAIL  FROM:<a@b.example>", COMMAND_MAIL, 0, "a@b.example", 0, 0 },
	{ "MAIL FROM:<A@B.Example>", COMMAND_MAIL, 0, "A@b.example", 0, 0 },
	{ "MAIL FROM:<@x.example,@y.example:a@b.example>", COMMAND_MAIL, 0,
	    "a@b.example", 0, 0 },
	{ "MAIL FROM:<\"a b\"@c.example>", COMMAND_MAIL, 0, "\"a b\"@c.example",
	    0, 0 },
	{ "MAIL FROM:<\"a\"@c.example>", COMMAND_MAIL, 0, "a@c.example", 0, 0 },
	{ "MAIL FROM:<\">\"@c.example> SIZE=3", COMMAND_MAIL, 0,
	    "\">\"@c.example", 3, 0 },
	{ "MAIL FROM:<a@[192.0.2.1]>", COMMAND_MAIL, 0, "a@[192.0.2.1]", 0, 0 },
	{ "MAIL FROM:<a@b.example> SIZE=1000", COMMAND_MAIL, 0, "a@b.example",
	    1000, 0 },
	{ "MAIL FROM:<a@b.example> size=0", COMMAND_MAIL, 0, "a@b.example", 0,
	    0 },
	{ "MAIL FROM:<a@b.example>  SIZE=7   BODY=8BITMIME ", COMMAND_MAIL, 0,
	    "a@b.example", 7, SMTP_BODY_8BITMIME },
	{ "MAIL FROM:<a@b.example> body=7bit", COMMAND_MAIL, 0, "a@b.example",
	    0, SMTP_BODY_7BIT },
	{ "MAIL FROM:<> SIZE=18446744073709551615", COMMAND_MAIL, 0, "",
	    UINT64_MAX, 0 },
	{ "MAIL FROM:<> SIZE=99999999999999999999", COMMAND_MAIL, 0, "",
	    UINT64_MAX, 0 },
	{ "MAIL FROM:<> SIZE=999999999999999999999", COMMAND_MAIL, 501, "", 0,
	    0 },
	{ "MAIL", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM :<a@b.example>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL TO:<a@b.example>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:a@b.example", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<a@b.example", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<a>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<postmaster>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<a@b@c>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<a@>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<@b>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:< a@b.example>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<a@b.example >", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<a b@c.example>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<a@b.example>SIZE=1", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<a@b.example>>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<<a@b.example>>", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> SIZE=", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> SIZE", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> SIZE=-1", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> SIZE=1x", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> SIZE=1 SIZE=1", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> BODY=7BIT BODY=7BIT", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> BODY", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> BODY=9BIT", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> BODY=BINARYMIME", COMMAND_MAIL, 504, "", 0, 0 },
	{ "MAIL FROM:<> SMTPUTF8", COMMAND_MAIL, 555, "", 0, 0 },
	{ "MAIL FROM:<> NOTIFY=NEVER", COMMAND_MAIL, 555, "", 0, 0 },
	{ "MAIL FROM:<> AUTH=<>", COMMAND_MAIL, 555, "", 0, 0 },
	{ "MAIL FROM:<> =x", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> A=", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> A=b=c", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> -A", COMMAND_MAIL, 501, "", 0, 0 },
	{ "MAIL FROM:<> a_b", COMMAND_MAIL, 501, "", 0, 0 },

	/* RCPT */
	{ "RCPT TO:<a@b.example>", COMMAND_RCPT, 0, "a@b.example", 0, 0 },
	{ "rcpt to: <a@b.example>", COMMAND_RCPT, 0, "a@b.example", 0, 0 },
	{ "RCPT TO:<postmaster>", COMMAND_RCPT, 0, "postmaster", 0, 0 },
	{ "RCPT TO:<PostMaster>", COMMAND_RCPT, 0, "postmaster", 0, 0 },
	{ "RCPT TO:<@x.example:a@b.example>", COMMAND_RCPT, 0, "a@b.example", 0,
	    0 },
	{ "RCPT TO:<>", COMMAND_RCPT, 501, "", 0, 0 },
	{ "RCPT TO:<a>", COMMAND_RCPT, 501, "", 0, 0 },
	{ "RCPT FROM:<a@b.example>", COMMAND_RCPT, 501, "", 0, 0 },
	{ "RCPT TO:a@b.example", COMMAND_RCPT, 501, "", 0, 0 },
	{ "RCPT TO:<a@b.example> RET=FULL", COMMAND_RCPT, 555, "", 0, 0 },
	{ "RCPT TO:<a@b.example> SIZE=1", COMMAND_RCPT, 555, "", 0, 0 },
	{ "RCPT TO:<a@b.example> <c@d.example>", COMMAND_RCPT, 501, "", 0, 0 },
};

static void
check_row(const struct row *row)
{
	char line[1024];
	struct command c;
	bool path = row->verb == COMMAND_MAIL || row->verb == COMMAND_RCPT;

	snprintf(line, sizeof(line), "%s", row->line);
	command_parse(line, strlen(line), &c);
	if (c.verb != row->verb || c.error_code != row->code)
		print_error("line: %s\n", row->line);
	assert_int_equal(c.verb, row->verb);
	assert_int_equal(c.error_code, row->code);
	if (row->code != 0) {
		assert_non_null(c.error_text);
		/* The enhanced code has the class of the basic one. */
		assert_int_equal(c.error_text[0], '0' + row->code / 100);
		return;
	}
	assert_string_equal(path ? c.path.text : c.argument, row->text);
	assert_int_equal(c.size, row->size);
	assert_int_equal(c.body, row->body);
}

static void
test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* RFC 3461 4. */
static const struct dsn_row {
	const char *parameters; /* of MAIL, or if they begin with "+" of RCPT */
	unsigned int code;
	enum dsn_ret ret;
	const char *envid;
	unsigned int notify;
	const char *orcpt;
} dsn_rows[] = {
	{ "", 0, DSN_RET_NONE, "", 0, "" },
	{ "RET=FULL", 0, DSN_RET_FULL, "", 0, "" },
	{ "ret=hdrs ENVID=QQ+2B314159 SIZE=1", 0, DSN_RET_HDRS, "QQ+2B314159",
	    0, "" },
	{ "RET", 501, 0, "", 0, "" },
	{ "RET=", 501, 0, "", 0, "" },
	{ "RET=ALL", 501, 0, "", 0, "" },
	{ "RET=FULL RET=FULL", 501, 0, "", 0, "" },
	{ "ENVID", 501, 0, "", 0, "" },
	{ "ENVID=", 501, 0, "", 0, "" },
	{ "ENVID=a=b", 501, 0, "", 0, "" },
	{ "ENVID=a+0Db", 501, 0, "", 0, "" },
	{ "ENVID=a+2", 501, 0, "", 0, "" },
	{ "ENVID=a ENVID=b", 501, 0, "", 0, "" },
	{ "ORCPT=rfc822;a@b.example", 555, 0, "", 0, "" },
	{ "+", 0, 0, "", 0, "" },
	{ "+NOTIFY=NEVER", 0, 0, "", DSN_NOTIFY_NEVER, "" },
	{ "+notify=Success,Failure,Delay", 0, 0, "",
	    DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY, "" },
	{ "+NOTIFY=DELAY ORCPT=rfc822;a+2Bb@c.example", 0, 0, "",
	    DSN_NOTIFY_DELAY, "rfc822;a+2Bb@c.example" },
	{ "+NOTIFY", 501, 0, "", 0, "" },
	{ "+NOTIFY=", 501, 0, "", 0, "" },
	{ "+NOTIFY=ALWAYS", 501, 0, "", 0, "" },
	{ "+NOTIFY=,", 501, 0, "", 0, "" },
	{ "+NOTIFY=DELAY,", 501, 0, "", 0, "" },
	{ "+NOTIFY=,DELAY", 501, 0, "", 0, "" },
	{ "+NOTIFY=DELAY;FAILURE", 501, 0, "", 0, "" },
	{ "+NOTIFY=NEVER,DELAY", 501, 0, "", 0, "" },
	{ "+NOTIFY=DELAY NOTIFY=DELAY", 501, 0, "", 0, "" },
	{ "+ORCPT", 501, 0, "", 0, "" },
	{ "+ORCPT=", 501, 0, "", 0, "" },
	{ "+ORCPT=a@b.example", 501, 0, "", 0, "" },
	{ "+ORCPT=;a@b.example", 501, 0, "", 0, "" },
	{ "+ORCPT=rfc822;", 501, 0, "", 0, "" },
	{ "+ORCPT=rfc822;a+0Ab", 501, 0, "", 0, "" },
	{ "+ORCPT=rfc822;a ORCPT=rfc822;a", 501, 0, "", 0, "" },
	{ "+ENVID=a", 555, 0, "", 0, "" },
};

static void
parse_with(const char *parameters, struct command *c)
{
	char line[2048];
	bool rcpt = parameters[0] == '+';

	snprintf(line, sizeof(line), "%s:<a@b.example> %s",
	    rcpt ? "RCPT TO" : "MAIL FROM", parameters + rcpt);
	memset(c, 0xff, sizeof(*c));
	command_parse(line, strlen(line), c);
}

static void
test_dsn(void **unused)
{
	struct command c;

	(void)unused;
	for (size_t i = 0; i < sizeof(dsn_rows) / sizeof(dsn_rows[0]); i++) {
		const struct dsn_row *row = &dsn_rows[i];

		parse_with(row->parameters, &c);
		if (c.error_code != row->code)
			print_error("parameters: %s\n", row->parameters);
		assert_int_equal(c.error_code, row->code);
		if (row->code != 0) {
			assert_memory_equal(c.error_text, "5.5.4 ", 6);
			continue;
		}
		assert_int_equal(c.ret, row->ret);
		assert_string_equal(c.envid, row->envid);
		assert_int_equal(c.notify, row->notify);
		assert_string_equal(c.orcpt, row->orcpt);
	}
}

static void
test_long_dsn(void **unused)
{
	char parameters[1024];
	struct command c;

	(void)unused;
	for (int more = 0; more < 2; more++) {
		unsigned int code = more == 0 ? 0 : 501;

		snprintf(parameters, sizeof(parameters), "ENVID=%0*d",
		    LIMIT_ENVID + more, 0);
		parse_with(parameters, &c);
		assert_int_equal(c.error_code, code);
		snprintf(parameters, sizeof(parameters), "+ORCPT=rfc822;%0*d",
		    LIMIT_ORCPT - 7 + more, 0);
		parse_with(parameters, &c);
		assert_int_equal(c.error_code, code);
	}
	assert_int_equal(LIMIT_ENVID, 100);
	assert_int_equal(LIMIT_ORCPT, 500);
}

/* A NUL is an octet like any other that is not allowed: it hides nothing. */
static void
test_nul(void **unused)
{
	char line[] = "QUIT\0 x";
	struct command c;

	(void)unused;
	command_parse(line, sizeof(line) - 1, &c);
	assert_int_equal(c.verb, COMMAND_MALFORMED);
}

/* No octet but printable ASCII is allowed anywhere. */
static void
test_octets(void **unused)
{
	struct command c;

	(void)unused;
	for (int octet = 0; octet < 256; octet++) {
		char line[] = "NOOP x x";
		bool legal = octet >= 0x20 && octet < 0x7f;

		line[6] = (char)octet;
		command_parse(line, sizeof(line) - 1, &c);
		assert_int_equal(
		    c.verb, legal ? COMMAND_NOOP : COMMAND_MALFORMED);
	}
}

static void
test_long_paths(void **unused)
{
	char line[2048];
	struct command c;

	(void)unused;
	snprintf(line, sizeof(line), "RCPT TO:<%0*d@b.example>",
	    LIMIT_LOCAL_PART, 0);
	command_parse(line, strlen(line), &c);
	assert_int_equal(c.error_code, 0);
	snprintf(line, sizeof(line), "RCPT TO:<%0*d@b.example>",
	    LIMIT_LOCAL_PART + 1, 0);
	command_parse(line, strlen(line), &c);
	assert_int_equal(c.error_code, 501);
	snprintf(line, sizeof(line), "EHLO %0*d", 300, 0);
	command_parse(line, strlen(line), &c);
	assert_int_equal(c.error_code, 501);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_dsn),
		cmocka_unit_test(test_long_dsn),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_long_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
