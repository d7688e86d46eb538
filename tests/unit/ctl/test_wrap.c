/* Lines that are broken between words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/wrap.h"

static void
expect(const char *text, unsigned int width, unsigned int hang,
    const char *expected)
{
	char *printed;
	size_t length;
	FILE *out = open_memstream(&printed, &length);

	assert_non_null(out);
	wrap_print(out, text, width, hang);
	fclose(out);
	assert_string_equal(printed, expected);
	free(printed);
}

static void
breaks_between_words(void **state)
{
	(void)state;
	expect("", 20, 2, "");
	expect("\n", 20, 2, "\n");
	expect("one two", 20, 2, "one two\n");
	expect("one two three four five\n\nsix\n", 10, 2,
	    "one two\n  three\n  four\n  five\n\nsix\n");
	expect("exactly 10", 10, 2, "exactly 10\n");
	expect("exactly  11", 10, 2, "exactly\n  11\n");
	expect("a   b  c", 20, 2, "a   b  c\n");
	expect("    indented by four", 14, 6, "    indented\n      by four\n");
}

/* So that it can be copied. */
static void
leaves_long_words_whole(void **state)
{
	(void)state;
	expect(
	    "to 0123456789abcdef end", 10, 2, "to 0123456789abcdef\n  end\n");
	expect("0123456789abcdef", 10, 2, "0123456789abcdef\n");
	expect("to 01234567 end", 10, 2, "to\n  01234567\n  end\n");
}

static void
counts_columns(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	/* Two columns each, and a letter with an accent of its own. */
	expect("\xe5\x8f\x97\xe4\xbf\xa1 abcde x", 10, 0,
	    "\xe5\x8f\x97\xe4\xbf\xa1 abcde\nx\n");
	expect("e\xcc\x81"
	       "e\xcc\x81 67890123 x",
	    11, 0,
	    "e\xcc\x81"
	    "e\xcc\x81 67890123\nx\n");
	setlocale(LC_CTYPE, "C");
	/* Colours take none. */
	expect("\033[31mred\033[0m and blue", 12, 0,
	    "\033[31mred\033[0m and blue\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breaks_between_words),
		cmocka_unit_test(leaves_long_words_whole),
		cmocka_unit_test(counts_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
