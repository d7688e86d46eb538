#include "common/printable.h"

#include <string.h>

#include "tests/unit/common/unit.h"

static void
outside_text_becomes_one_safe_line(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "", "" },
		{ "plain text ~!", "plain text ~!" },
		{ "a\"b\\c", "a\\x22b\\x5cc" },
		{ "250-one\r\n250 two", "250-one / 250 two" },
		{ "bare\nLF and\rCR", "bare\\x0aLF and\\x0dCR" },
		{ "ends\r", "ends\\x0d" },
		{ "\x1b[31m\a\x7f", "\\x1b[31m\\x07\\x7f" },
		{ "\xc3\xa9", "\\xc3\\xa9" },
		{ "\t", "\\x09" },
	};
	char shown[100];

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		printable_copy(shown, sizeof(shown), rows[i].text);
		assert_string_equal(shown, rows[i].shown);
	}
}

/* An escape is never cut in the middle, and the end is always a NUL. */
static void
what_does_not_fit_is_cut(void **state)
{
	static const char *const expected[] = { "", "a", "a", "a", "a",
		"a\\x0a", "a\\x0ab", "a\\x0ab", "a\\x0ab" };
	char shown[20];

	(void)state;
	for (size_t i = 0; i < LENGTH(expected); i++) {
		memset(shown, 'z', sizeof(shown));
		printable_copy(shown, i + 1, "a\nb");
		assert_string_equal(shown, expected[i]);
		assert_int_equal(shown[i + 1], 'z');
	}
	memset(shown, 'z', sizeof(shown));
	printable_copy(shown, 0, "a");
	assert_int_equal(shown[0], 'z');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_text_becomes_one_safe_line),
		cmocka_unit_test(what_does_not_fit_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
