#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/json.h"

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
strings(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\r\n\t", "\"\\r\\n\\t\"" },
		{ "\x01\x1b[0m\x7f", "\"\\u0001\\u001b[0m\\u007f\"" },
		{ "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
		{ "\xe2\x82\xac \xf0\x9f\x93\xa7",
		    "\"\xe2\x82\xac \xf0\x9f\x93\xa7\"" },
		/* C1 and what turns text around */
		{ "\xc2\x9b", "\"\\u009b\"" },
		{ "\xe2\x80\xae", "\"\\u202e\"" },
		{ "\xe2\x80\xa8", "\"\\u2028\"" },
		/* not UTF-8: alone, cut, overlong, a surrogate, too great */
		/* What does not show, in either plane; and what does. */
		{ "a\xe2\x80\x8b\xe2\x81\xa0\xc2\xad",
		    "\"a\\u200b\\u2060\\u00ad\"" },
		{ "\xf3\xa0\x81\xa1", "\"\\udb40\\udc61\"" },
		{ "\xe2\x9c\x89\xef\xb8\x8f", "\"\xe2\x9c\x89\xef\xb8\x8f\"" },
		{ "\xff", "\"\\ufffd\"" },
		{ "a\xc3", "\"a\\ufffd\"" },
		{ "\xc3(", "\"\\ufffd(\"" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },
		{ "\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *out = begin();

		json_write_string(out, cases[i].text, strlen(cases[i].text));
		expect(out, cases[i].json);
	}
}

static void
holds_nul(void **state)
{
	FILE *out = begin();

	(void)state;
	json_write_string(out, "a\0b", 3);
	expect(out, "\"a\\u0000b\"");
}

static void
objects(void **state)
{
	FILE *out = begin();
	struct json j;

	(void)state;
	json_begin(&j, out);
	json_end(&j);
	json_begin(&j, out);
	json_text(&j, "a", "x");
	json_number(&j, "b", UINT64_MAX);
	json_boolean(&j, "c", true);
	json_boolean(&j, "d", false);
	json_time(&j, "e", 1769903999);
	json_time(&j, "f", 0);
	json_end(&j);
	expect(out, "{}\n{\"a\":\"x\",\"b\":18446744073709551615,\"c\":true,"
		    "\"d\":false,\"e\":\"2026-01-31T23:59:59Z\",\"f\":null}\n");
}

static void
impossible_time(void **state)
{
	FILE *out = begin();
	struct json j;

	(void)state;
	json_begin(&j, out);
	json_time(&j, "t", INT64_MAX);
	json_end(&j);
	expect(out, "{\"t\":null}\n");
}

static void
base64(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "{\"c\":\"\"}\n" },
		{ "f", "{\"c\":\"Zg==\"}\n" },
		{ "fo", "{\"c\":\"Zm8=\"}\n" },
		{ "foo", "{\"c\":\"Zm9v\"}\n" },
		{ "foobar\xff\xfe", "{\"c\":\"Zm9vYmFy//4=\"}\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *out = begin();
		struct json j;

		json_begin(&j, out);
		json_base64(&j, "c", (const uint8_t *)cases[i].text,
		    strlen(cases[i].text));
		json_end(&j);
		expect(out, cases[i].json);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(holds_nul),
		cmocka_unit_test(objects),
		cmocka_unit_test(impossible_time),
		cmocka_unit_test(base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
