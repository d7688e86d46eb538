#include "tests/unit/common/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/via.h"

static struct via_step
step(const char *key, uint32_t line)
{
	struct via_step s = { .mailbox = "people",
		.table = "aliases",
		.file = "/etc/aliases",
		.line = line };

	snprintf(s.key, sizeof(s.key), "%s", key);
	return s;
}

static void
test_there_and_back(void **state)
{
	char text[LIMIT_VIA + 1] = "";
	const char *cursor = text;
	struct via_step one = step("sales", 3), two = step("team", UINT32_MAX);
	struct via_step got;

	(void)state;
	assert_true(via_is_valid(""));
	assert_int_equal(via_next(&cursor, &got), VIA_END);
	two.mailbox[0] = two.table[0] = two.file[0] = '\0';
	via_add(text, &one);
	via_add(text, &two);
	assert_string_equal(text, "sales\tpeople\taliases\t/etc/aliases\t3\n"
				  "team\t\t\t\t4294967295");
	assert_true(via_is_valid(text));
	assert_int_equal(via_next(&cursor, &got), VIA_STEP);
	assert_string_equal(got.key, "sales");
	assert_string_equal(got.mailbox, "people");
	assert_string_equal(got.table, "aliases");
	assert_string_equal(got.file, "/etc/aliases");
	assert_int_equal(got.line, 3);
	assert_int_equal(via_next(&cursor, &got), VIA_STEP);
	assert_string_equal(got.key, "team");
	assert_string_equal(got.mailbox, "");
	assert_int_equal(got.line, UINT32_MAX);
	assert_int_equal(via_next(&cursor, &got), VIA_END);
}

/* Whatever a file is called, it stays one field. */
static void
test_controls(void **state)
{
	char text[LIMIT_VIA + 1] = "";
	struct via_step odd = step("a\tb\nc", 1);

	(void)state;
	via_add(text, &odd);
	assert_string_equal(text, "a?b?c\tpeople\taliases\t/etc/aliases\t1");
}

/* However many and however long: never beyond the bound, always valid, and
 * with a word that there were more. */
static void
test_too_many(void **state)
{
	(void)state;
	for (size_t length = 1; length <= LIMIT_LOCAL_PART; length++) {
		char text[LIMIT_VIA + 1] = "";
		const char *cursor = text;
		struct via_step s = step("", 1), got;
		unsigned int steps = 0;
		enum via_kind kind;

		memset(s.key, 'k', length);
		for (unsigned int i = 0; i < 200; i++) {
			via_add(text, &s);
			assert_true(strlen(text) <= LIMIT_VIA);
			assert_true(via_is_valid(text));
		}
		while ((kind = via_next(&cursor, &got)) == VIA_STEP)
			steps++;
		assert_int_equal(kind, VIA_MORE);
		assert_true(steps >= 3);
	}
}

static void
test_one_too_long(void **state)
{
	char text[LIMIT_VIA + 1] = "";
	struct via_step s = step("", 1);

	(void)state;
	memset(s.key, 'k', LIMIT_LOCAL_PART);
	memset(s.file, 'f', LIMIT_PATH);
	via_add(text, &s);
	via_add(text, &s);
	assert_true(via_is_valid(text));
	assert_true(strlen(text) <= LIMIT_VIA);
}

static void
test_what_is_none(void **state)
{
	static const char *const rows[] = {
		"sales",
		"\tp\tt\tf\t1",	  /* no key */
		"k\tp\tt\tf\t",	  /* no line */
		"k\tp\tt\tf\t-1", /* no number */
		"k\tp\tt\tf\t 1",
		"k\tp\tt\tf\t1x",
		"k\tp\tt\tf\t4294967296",
		"k\tp\tt\tf",	   /* too few fields */
		"k\tp\tt\tf\t1\t", /* too many */
		"k\tp\tt\tf\t1\n", /* no step behind it */
		"\nk\tp\tt\tf\t1",
		"...\nk\tp\tt\tf\t1", /* there is none behind "more" */
		"k\x1b\tp\tt\tf\t1",  /* a control character */
		"k\tp\tt\tf\r\t1",
	};
	char text[LIMIT_VIA + 1];

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_false(via_is_valid(rows[i]));
	/* A name that is longer than one may be. */
	memset(text, 'm', sizeof(text));
	memcpy(text, "k\t", 2);
	snprintf(text + 2 + LIMIT_NAME + 1, 20, "\tt\tf\t1");
	assert_false(via_is_valid(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_one_too_long),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
