#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ctl/format.h"

static char *output;
static size_t output_size;

static FILE *
begin(void)
{
	FILE *out = open_memstream(&output, &output_size);

	assert_non_null(out);
	return out;
}

static void
expect(FILE *out, const char *text)
{
	assert_int_equal(fclose(out), 0);
	assert_string_equal(output, text);
	free(output);
}

static void
sizes(void **state)
{
	static const struct {
		uint64_t octets;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1024, "1.0K" },
		{ 4198, "4.0K" },
		{ 4300, "4.1K" },
		{ 10239, "9.9K" },
		{ 10240, "10K" },
		{ 1048575, "1023K" },
		{ 1048576, "1.0M" },
		{ 52428800, "50M" },
		{ UINT64_MAX, "15E" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
		    format_size(cases[i].octets).text, cases[i].text);
}

static void
durations(void **state)
{
	(void)state;
	assert_string_equal(format_duration(0).text, "0s");
	assert_string_equal(format_duration(59).text, "59s");
	assert_string_equal(format_duration(60).text, "1m");
	assert_string_equal(format_duration(3599).text, "59m");
	assert_string_equal(format_duration(86399).text, "23h");
	assert_string_equal(format_duration(86400).text, "1d");
	assert_string_equal(format_duration_words(1).text, "1 second");
	assert_string_equal(format_duration_words(0).text, "0 seconds");
	assert_string_equal(format_duration_words(7200).text, "2 hours");
}

static void
times(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "XYZ-02:30", 1), 0);
	tzset();
	assert_string_equal(
	    format_time_utc(1769903999).text, "2026-01-31T23:59:59Z");
	assert_string_equal(
	    format_time_local(1769903999).text, "2026-02-01 02:29:59");
	assert_string_equal(format_time_utc(INT64_MAX).text, "");
	assert_string_equal(format_time_local(UINT64_MAX / 2).text, "");
}

static void
counts(void **state)
{
	(void)state;
	assert_string_equal(format_count(0, 5).text, "0");
	assert_string_equal(format_count(99999, 5).text, "99999");
	assert_string_equal(format_count(100000, 5).text, "100k");
	assert_string_equal(format_count(999999, 5).text, "999k");
	assert_string_equal(format_count(1000000, 5).text, "1M");
	assert_string_equal(
	    format_count(UINT64_MAX, 20).text, "18446744073709551615");
	assert_string_equal(format_count(UINT64_MAX, 5).text, "18E");
}

static void
cut(void **state)
{
	FILE *out = begin();

	(void)state;
	format_print_cut(out, "0123456789", 10);
	fputc('|', out);
	format_print_cut(out, "0123456789", 9);
	fputc('|', out);
	format_print_cut(out, "0123456789", 3);
	fputc('|', out);
	format_print_cut(out, "\033[2J", 7);
	expect(out, "0123456789|012345...||\\x1b[2J");
}

/* What the locale does not know is escaped; what it does takes the columns
 * that it takes. */
static void
foreign_letters(void **state)
{
	static const char text[] =
	    "\xc3\xbc \xe5\x8f\x97\xe4\xbf\xa1 \xff\xc2\x9b";
	char *printed;
	size_t length;
	FILE *out = open_memstream(&printed, &length);

	(void)state;
	format_print(out, "\xc3\xbc\\\"\r\n");
	fputc('|', out);
	assert_int_equal(format_width("\xc3\xbc"), 8);
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	format_print(out, text);
	assert_int_equal(format_width(text), 7 + 4 + 8);
	fputc('|', out);
	format_print_cut(out, text, 18);
	fputc('|', out);
	format_print_cut(out, "\xe5\x8f\x97\xe4\xbf\xa1", 4);
	fputc('|', out);
	/* Two columns do not fit into one. */
	format_print_cut(out, "\xe5\x8f\x97\xe4\xbf\xa1zz", 4);
	/* The direction of text is not for others to change. */
	format_print(out, "|\xe2\x80\xae");
	/* Nor does anything look like what it is not. */
	format_print(out, "|a\xe2\x80\x8bz\xf3\xa0\x81\xa1");
	assert_int_equal(format_width("a\xe2\x80\x8bz"), 2 + 12);
	setlocale(LC_CTYPE, "C");
	fclose(out);
	assert_string_equal(printed,
	    "\\xc3\\xbc\\x5c\" / |"
	    "\xc3\xbc \xe5\x8f\x97\xe4\xbf\xa1 \\xff\\xc2\\x9b|"
	    "\xc3\xbc \xe5\x8f\x97\xe4\xbf\xa1 \\xff\\xc2\xe2\x80\xa6|"
	    "\xe5\x8f\x97\xe4\xbf\xa1|\xe5\x8f\x97\xe2\x80\xa6|"
	    "\\xe2\\x80\\xae|a\\xe2\\x80\\x8bz\\xf3\\xa0\\x81\\xa1");
	free(printed);
}

static void
lines(void **state)
{
	FILE *out = begin();

	(void)state;
	format_print_lines(
	    out, "550-5.1.1 no\r\n550 5.1.1 \033really\nend", "> ");
	format_print_lines(out, "", "> ");
	expect(out, "> 550-5.1.1 no\n> 550 5.1.1 \\x1breally\n> end\n");
}

static void
content(void **state)
{
	static const char mail[] =
	    "a\tb\r\n\033]0;x\a\r\0\xc2\x9bm\xff \xc3\xbc\n"
	    "\x7f\r";
	FILE *out = begin();

	(void)state;
	format_print_content(
	    out, (const uint8_t *)mail, sizeof(mail) - 1, true);
	expect(out, "a\tb\n\\x1b]0;x\\x07\\x0d\\x00\\xc2\\x9bm\\xff \xc3\xbc\n"
		    "\\x7f\\x0d");
	out = begin();
	format_print_content(out, (const uint8_t *)"\xc3\xbc", 2, false);
	expect(out, "\\xc3\\xbc");
}

static void
sender(void **state)
{
	FILE *out = begin();

	(void)state;
	format_print_sender(out, "");
	format_print_sender(out, "a@b");
	expect(out, "<>a@b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(times),
		cmocka_unit_test(counts),
		cmocka_unit_test(cut),
		cmocka_unit_test(foreign_letters),
		cmocka_unit_test(lines),
		cmocka_unit_test(content),
		cmocka_unit_test(sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
