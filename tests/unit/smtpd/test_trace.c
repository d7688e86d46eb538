/* The Received field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/id.h"
#include "smtpd/trace.h"

static struct trace
sample(void)
{
	struct trace t = {
		.helo = "client.example",
		.client_name = "mail.client.example",
		.client_address = "192.0.2.7",
		.hostname = "mx.example.org",
		.protocol = SMTP_PROTOCOL_ESMTP,
		.id = 1,
		.recipient = "joe@example.org",
		.time = 951782400, /* a leap day */
	};

	return t;
}

static void
expect(const struct trace *t, const char *text)
{
	char got[LIMIT_TRACE];
	size_t length = trace_format(got, t);

	assert_string_equal(got, text);
	assert_int_equal(length, strlen(got));
}

static void
test_plain(void **unused)
{
	struct trace t = sample();

	(void)unused;
	expect(&t,
	    "Received: from client.example (mail.client.example [192.0.2.7])"
	    "\r\n\tby mx.example.org (postern) with ESMTP id 0000000000001\r\n"
	    "\tfor <joe@example.org>; Tue, 29 Feb 2000 00:00:00 +0000\r\n");
}

static void
test_many_recipients(void **unused)
{
	struct trace t = sample();

	(void)unused;
	t.recipient = NULL;
	t.client_name = "";
	t.client_address = "2001:db8::1";
	t.protocol = SMTP_PROTOCOL_SMTP;
	expect(&t,
	    "Received: from client.example (unknown [IPv6:2001:db8::1])"
	    "\r\n\tby mx.example.org (postern) with SMTP id 0000000000001;\r\n"
	    "\tTue, 29 Feb 2000 00:00:00 +0000\r\n");
}

/* What comes from outside cannot end the field or a comment. */
static void
test_hostile(void **unused)
{
	struct trace t = sample();

	(void)unused;
	t.helo = "a) (b; \r\nX-Evil: yes";
	t.client_name = "c\r\n\td\x80";
	t.recipient = "\"a\r\n>;b\"@example.org";
	expect(&t,
	    "Received: from a???b????X-Evil:?yes (c???d? [192.0.2.7])"
	    "\r\n\tby mx.example.org (postern) with ESMTP id 0000000000001\r\n"
	    "\tfor <\"a?\?>;b\"@example.org>; "
	    "Tue, 29 Feb 2000 00:00:00 +0000\r\n");
}

/* The longest of everything fits: nothing is cut off. */
static void
test_longest(void **unused)
{
	char helo[LIMIT_HELO + 1], domain[LIMIT_DOMAIN + 1],
	    path[LIMIT_PATH + 1], address[LIMIT_ADDRESS_TEXT + 1],
	    got[LIMIT_TRACE];
	struct trace t = sample();
	size_t length;

	(void)unused;
	memset(helo, 'h', sizeof(helo));
	memset(domain, 'd', sizeof(domain));
	memset(path, 'p', sizeof(path));
	memset(address, ':', sizeof(address));
	helo[LIMIT_HELO] = domain[LIMIT_DOMAIN] = path[LIMIT_PATH] =
	    address[LIMIT_ADDRESS_TEXT] = '\0';
	t.helo = helo;
	t.client_name = t.hostname = domain;
	t.client_address = address;
	t.recipient = path;
	t.protocol = SMTP_PROTOCOL_ESMTPSA;
	t.id = UINT64_MAX;
	length = trace_format(got, &t);
	assert_true(length < LIMIT_TRACE - 1);
	assert_string_equal(got + length - 8, " +0000\r\n");
	/* RFC 5322 2.1.1. */
	for (char *line = strtok(got, "\r\n"); line != NULL;
	     line = strtok(NULL, "\r\n"))
		assert_true(strlen(line) <= 998);
}

static void
test_impossible_time(void **unused)
{
	char got[LIMIT_TRACE];
	struct trace t = sample();

	(void)unused;
	t.time = (time_t)INT64_MAX;
	assert_true(trace_format(got, &t) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_impossible_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
