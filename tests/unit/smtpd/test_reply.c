/* Replies on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/reply.h"

struct row {
	unsigned int code;
	const char *text, *wire;
};

static const struct row rows[] = {
	{ 250, "2.0.0 Ok", "250 2.0.0 Ok\r\n" },
	{ 354, "Go", "354 Go\r\n" },
	{ 250, "", "250 \r\n" },
	{ 250, "mx\r\nSIZE 1\r\n8BITMIME",
	    "250-mx\r\n250-SIZE 1\r\n250 8BITMIME\r\n" },
	{ 550, "5.7.1 No\r\nnever\r\n5.7.2 ever",
	    "550-5.7.1 No\r\n550-5.7.1 never\r\n550 5.7.2 ever\r\n" },
	{ 250, "a\r\n", "250 a\r\n" },
	{ 250, "a\r\n\r\nb", "250-a\r\n250-\r\n250 b\r\n" },
	/* nothing that could end a line or a session gets through */
	{ 250, "a\nb\rc\td\x80\x7f", "250 a?b?c?d??\r\n" },
	{ 550, "5.1 x", "550 5.1 x\r\n" },
	{ 550, "5.1.1234 x\r\ny", "550-5.1.1234 x\r\n550 y\r\n" },
	{ 550, "5.1.1\r\ny", "550-5.1.1\r\n550 y\r\n" },
};

static void
test_rows(void **unused)
{
	char wire[REPLY_SIZE + 1];

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t length =
		    reply_format(wire, REPLY_SIZE, rows[i].code, rows[i].text);

		wire[length] = '\0';
		assert_string_equal(wire, rows[i].wire);
	}
}

/* Whatever the text, it fits, every line is short enough and only the last
 * one has a space behind its code. */
static void
check_form(const char *wire, size_t length)
{
	size_t at = 0;

	assert_true(length <= REPLY_SIZE);
	while (at < length) {
		const char *end = memchr(wire + at, '\n', length - at);

		assert_non_null(end);
		assert_int_equal(end[-1], '\r');
		assert_memory_equal(wire + at, "250", 3);
		assert_true((size_t)(end + 1 - wire) - at <= REPLY_LINE);
		assert_int_equal(wire[at + 3],
		    (size_t)(end + 1 - wire) == length ? ' ' : '-');
		at = (size_t)(end + 1 - wire);
	}
}

static void
test_long(void **unused)
{
	static char text[LIMIT_REPLY + 1], wire[REPLY_SIZE];

	(void)unused;
	for (size_t every = 2; every < LIMIT_REPLY; every += 37) {
		memset(text, 'x', LIMIT_REPLY);
		text[0] = '2';
		text[1] = text[3] = '.';
		text[2] = text[4] = '0';
		text[5] = ' ';
		for (size_t at = 8; at + 2 < LIMIT_REPLY; at += every) {
			text[at] = '\r';
			text[at + 1] = '\n';
		}
		check_form(wire, reply_format(wire, sizeof(wire), 250, text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
