/* Every text comes back as it was, and what is no line of a dump is refused. */
#include <bsd/string.h>

#include "queue/tool/json.h"
#include "tests/unit/queue/test.h"

static char written[8192];

static void
write_text(const char *text)
{
	FILE *out = fmemopen(written, sizeof(written), "w");
	struct json j;

	assert_non_null(out);
	json_begin(&j, out);
	json_text(&j, "t", text);
	json_end(&j);
	assert_int_equal(fclose(out), 0);
}

static void
comes_back(const char *text)
{
	struct json_member m;

	write_text(text);
	assert_int_equal(json_read(written, &m, 1), 1);
	assert_string_equal(m.name, "t");
	assert_non_null(m.text);
	assert_string_equal(m.text, text);
}

static void
test_texts_come_back(void **state)
{
	char all[256 * 3 + 1];
	size_t length = 0;

	(void)state;
	for (int c = 1; c < 256; c++) {
		char one[2] = { (char)c, '\0' };

		comes_back(one);
		all[length++] = (char)c;
		all[length++] = 'x';
		all[length++] = (char)c;
	}
	all[length] = '\0';
	comes_back(all);
	comes_back("");
	comes_back("\xc3\xa9 \xe2\x98\x83 \xf0\x9f\x98\x80");
	/* Too long, surrogates, beyond the end, cut off. */
	comes_back("\xc0\x80 \xe0\x80\x80 \xed\xa0\x80 \xed\xbf\xbf "
		   "\xf4\x90\x80\x80 \xf8\x88 \xe2\x98");
}

static void
test_how_they_are_written(void **state)
{
	(void)state;
	write_text("a\"\\\n\x01\x7f\xff\xc3\xa9");
	assert_string_equal(written,
	    "{\"t\":\"a\\\"\\\\\\u000a\\u0001\\u007f\\udcff\xc3\xa9\"}\n");
}

static void
test_other_writers_are_read(void **state)
{
	char line[] =
	    " {\t\"a\" : \"\\u00E9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\", "
	    "\"b\":18446744073709551615 } \r\n";
	struct json_member m[2];

	(void)state;
	assert_int_equal(json_read(line, m, 2), 2);
	assert_string_equal(m[0].text, "\xc3\xa9\xf0\x9f\x98\x80/\b\f\n\r\t");
	assert_null(m[1].text);
	assert_true(m[1].number == UINT64_MAX);
}

static void
test_what_is_refused(void **state)
{
	static const char *const lines[] = { "", "x", "{", "{}x", "{} {}", "[]",
		"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}",
		"{\"a\":-1}", "{\"a\":1.5}", "{\"a\":1e3}", "{\"a\":true}",
		"{\"a\":null}", "{\"a\":[1]}", "{\"a\":{}}", "{\"a\":\"x}",
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud83d\"}", "{\"a\":\"\\ud83dx\"}",
		"{\"a\":\"\\ud83d\\u0041\"}", "{\"a\":\"\\udc00\"}",
		"{\"a\":\"\n\"}", "{\"a\":18446744073709551616}",
		"{\"a\":99999999999999999999}", "{\"a\":\"\\",
		"{\"a\":1 \"b\":2}", "{\"a\":1,\"b\":2,\"c\":3}" };
	struct json_member m[2];
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		strlcpy(line, lines[i], sizeof(line));
		errno = 0;
		if (json_read(line, m, 2) != -1)
			fail_msg("%s", lines[i]);
		assert_int_equal(errno, EBADMSG);
	}
}

static void
test_octets(void **state)
{
	static const char *const bad[] = { "A", "AA", "AAA", "AA=A",
		"A===", "====", "AA==AAAA", "AA*A", "AAAA\n" };
	uint8_t octets[300];
	char text[16];
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 37);
	for (size_t size = 0; size <= sizeof(octets); size++) {
		FILE *out = fmemopen(written, sizeof(written), "w");
		struct json_member m;
		struct json j;

		assert_non_null(out);
		json_begin(&j, out);
		json_octets(&j, "d", octets, size);
		json_end(&j);
		assert_int_equal(fclose(out), 0);
		assert_int_equal(json_read(written, &m, 1), 1);
		assert_int_equal(
		    json_decode_octets((char *)(uintptr_t)m.text, &length), 0);
		assert_int_equal(length, size);
		assert_memory_equal(m.text, octets, size);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		strlcpy(text, bad[i], sizeof(text));
		assert_int_equal(json_decode_octets(text, &length), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_come_back),
		cmocka_unit_test(test_how_they_are_written),
		cmocka_unit_test(test_other_writers_are_read),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
