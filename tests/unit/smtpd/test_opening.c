#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/opening.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct row {
	const char *content;
	enum opening_state state;
} rows[] = {
	{ "Subject: x\r\n\r\ntext\r\n", OPENING_HEADER },
	{ "X:\r\n", OPENING_HEADER },
	{ "Subject : obsolete\r\n", OPENING_HEADER },
	{ "Subject\t \t: obsolete\r\n", OPENING_HEADER },
	{ "x-!#$%&'*+/=?^_`{|}~.9: odd\r\n", OPENING_HEADER },
	{ "\r\nno header, and it says so\r\n", OPENING_HEADER },
	{ "", OPENING_HEADER },
	{ "hello\r\n", OPENING_TEXT },
	{ "hello, world: said he\r\n", OPENING_TEXT },
	{ "hello", OPENING_TEXT },
	{ ": nothing\r\n", OPENING_TEXT },
	{ " by trusted.example with ESMTPSA; x\r\nA: b\r\n", OPENING_TEXT },
	{ "\tby trusted.example\r\n", OPENING_TEXT },
	{ "\001: control\r\n", OPENING_TEXT },
	{ "h\303\251: 8 bit\r\n", OPENING_TEXT },
	{ "From somebody Tue Nov 24 18:00:00 2026\r\n", OPENING_TEXT },
};

/* Whatever the pieces are. */
static void
expect(const char *content, size_t piece, enum opening_state state)
{
	struct opening o = { OPENING_UNKNOWN, 0, { 0 } };
	size_t length = strlen(content), at = 0, taken = 0;

	for (; at < length && !opening_is_decided(&o); at += piece)
		taken += opening_take(&o, (const uint8_t *)content + at,
		    length - at < piece ? length - at : piece);
	opening_end(&o);
	if (o.state != state)
		fail_msg(
		    "\"%s\" in pieces of %zu: %d", content, piece, o.state);
	assert_int_equal(o.length, taken);
	assert_memory_equal(o.held, content, taken);
}

static void
test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t piece = 1; piece < 20; piece++)
			expect(rows[i].content, piece, rows[i].state);
}

static void
test_a_long_name_is_none(void **unused)
{
	char content[OPENING_NAME_MOST + 10];

	(void)unused;
	memset(content, 'x', sizeof(content));
	memcpy(content + OPENING_NAME_MOST - 1, ": y", sizeof(": y"));
	expect(content, 7, OPENING_HEADER);
	content[OPENING_NAME_MOST - 1] = 'x';
	memcpy(content + OPENING_NAME_MOST, ": y", sizeof(": y"));
	expect(content, 7, OPENING_TEXT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_long_name_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
