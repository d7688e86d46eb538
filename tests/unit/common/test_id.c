#include "common/id.h"

#include <string.h>
#include <time.h>

#include "tests/unit/common/unit.h"

static void
ids_only_grow(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t id = id_new();

		assert_true(id > last);
		last = id;
	}
}

static void
an_id_tells_its_time(void **state)
{
	time_t before = time(NULL);
	uint64_t made = id_time(id_new());

	(void)state;
	assert_true(made + 2 >= (uint64_t)before);
	assert_true(made <= (uint64_t)time(NULL) + 2);
}

static void
ids_survive_their_text(void **state)
{
	static const uint64_t ids[] = { 1, 31, 32, UINT64_C(1) << 63,
		UINT64_MAX, UINT64_C(0x0123456789abcdef) };

	(void)state;
	for (size_t i = 0; i < LENGTH(ids); i++) {
		struct id_text text = id_format(ids[i]);
		uint64_t parsed = 0;

		assert_int_equal(strlen(text.text), 13);
		assert_int_equal(id_parse(text.text, &parsed), 0);
		assert_true(parsed == ids[i]);
	}
	assert_string_equal(id_format(1).text, "0000000000001");
	assert_string_equal(id_format(UINT64_MAX).text, "fzzzzzzzzzzzz");
}

static void
texts_sort_as_ids(void **state)
{
	uint64_t id = 1;

	(void)state;
	while (id < UINT64_MAX / 3) {
		uint64_t next = id * 3 + 1;

		assert_true(
		    strcmp(id_format(id).text, id_format(next).text) < 0);
		id = next;
	}
}

static void
either_case_is_read(void **state)
{
	uint64_t lower = 0, upper = 0;

	(void)state;
	assert_int_equal(id_parse("01h2xcejqtf2n", &lower), 0);
	assert_int_equal(id_parse("01H2XCEJQTF2N", &upper), 0);
	assert_true(lower == upper);
}

static void
what_is_no_id_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"0000000000000",  /* zero is no id */
		"000000000001",	  /* 12 */
		"00000000000001", /* 14 */
		"gzzzzzzzzzzzz",  /* 65 bits */
		"zzzzzzzzzzzzz",
		"000000000000i", /* not in the alphabet */
		"000000000000l",
		"000000000000o",
		"000000000000u",
		"000000000000 ",
		" 000000000001",
		"-000000000001",
		"00000000000\xc3\xa9",
	};
	uint64_t id = 42;

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(id_parse(bad[i], &id), -1);
		assert_int_equal(id, 42);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_only_grow),
		cmocka_unit_test(an_id_tells_its_time),
		cmocka_unit_test(ids_survive_their_text),
		cmocka_unit_test(texts_sort_as_ids),
		cmocka_unit_test(either_case_is_read),
		cmocka_unit_test(what_is_no_id_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
