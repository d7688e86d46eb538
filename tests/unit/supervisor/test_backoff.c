#include "tests/unit/supervisor/test.h"

#include "supervisor/backoff.h"

static void
test_steady_program_comes_back_at_once(void **context)
{
	struct backoff b = { 0 };

	(void)context;
	for (int i = 0; i < 100; i++)
		assert_int_equal(0, backoff_next(&b, BACKOFF_STEADY_MS, true));
}

static void
test_ready_once_is_forgiven_once(void **context)
{
	static const int64_t expected[] = { 0, 100, 200, 400, 800, 1600, 3200,
		6400, 12800, 25600, 30000, 30000, 30000 };
	struct backoff b = { 0 };

	(void)context;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(expected[i], backoff_next(&b, 10, true));
}

static void
test_never_ready_waits_from_the_start(void **context)
{
	struct backoff b = { 0 };

	(void)context;
	assert_int_equal(100, backoff_next(&b, 10, false));
	assert_int_equal(200, backoff_next(&b, 10, false));
	/* however long it took not to become ready */
	assert_int_equal(400, backoff_next(&b, 10000, false));
}

static void
test_steady_life_forgets(void **context)
{
	struct backoff b = { 0 };

	(void)context;
	for (int i = 0; i < 8; i++)
		(void)backoff_next(&b, 10, true);
	assert_int_equal(0, backoff_next(&b, BACKOFF_STEADY_MS, true));
	assert_int_equal(0, backoff_next(&b, 10, true));
	assert_int_equal(100, backoff_next(&b, 10, true));
}

static void
test_never_more_than_most(void **context)
{
	struct backoff b = { .quick_deaths = UINT32_MAX - 1 };

	(void)context;
	for (int i = 0; i < 3; i++)
		assert_int_equal(BACKOFF_MOST_MS, backoff_next(&b, 0, false));
	assert_int_equal(UINT32_MAX, b.quick_deaths);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steady_program_comes_back_at_once),
		cmocka_unit_test(test_ready_once_is_forgiven_once),
		cmocka_unit_test(test_never_ready_waits_from_the_start),
		cmocka_unit_test(test_steady_life_forgets),
		cmocka_unit_test(test_never_more_than_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
