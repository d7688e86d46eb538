#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue/retry.h"

static const struct retry_policy policy = { 300, 14400, 432000 };

static void
test_the_delay_doubles_up_to_the_most(void **state)
{
	static const unsigned int wanted[] = { 300, 600, 1200, 2400, 4800, 9600,
		14400, 14400 };

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(retry_delay(&policy, i + 1, 0), wanted[i]);
	assert_int_equal(retry_delay(&policy, UINT32_MAX, 0), 14400);
	assert_int_equal(retry_delay(&policy, 0, 0), 300);
}

static void
test_the_jitter_is_bounded(void **state)
{
	unsigned int least = UINT32_MAX, most = 0;

	(void)state;
	for (uint32_t random = 0; random < 4096; random++) {
		unsigned int delay = retry_delay(&policy, 4, random);

		if (delay < least)
			least = delay;
		if (delay > most)
			most = delay;
		assert_true(retry_delay(&policy, 1, random) >= 300);
	}
	assert_int_equal(most, 2400);
	assert_true(least >= 1800 && least < 1820);
}

static void
test_odd_policies(void **state)
{
	static const struct retry_policy none = { 0, 0, 0 };
	static const struct retry_policy odd = { 100, 10, 5 };
	static const struct retry_policy huge = { 1, UINT32_MAX, 5 };

	(void)state;
	assert_int_equal(retry_delay(&none, 1, 0), 1);
	assert_int_equal(retry_delay(&odd, 1, 77), 100);
	assert_int_equal(retry_delay(&huge, 1000, 0), UINT32_MAX);
}

static void
test_the_end(void **state)
{
	(void)state;
	assert_false(retry_is_over(&policy, 1000, 1000));
	assert_false(retry_is_over(&policy, 1000, 1000 + 431999));
	assert_true(retry_is_over(&policy, 1000, 1000 + 432000));
	/* The clock was set back: not before its time. */
	assert_false(retry_is_over(&policy, 1000, 10));
}

static void
test_a_time_that_has_come(void **state)
{
	(void)state;
	assert_true(retry_is_due(&policy, 1000, 1000));
	assert_true(retry_is_due(&policy, 0, 1000));
	assert_false(retry_is_due(&policy, 1001, 1000));
	assert_false(retry_is_due(&policy, 1000 + 14400, 1000));
	/* No delay is as long as that. */
	assert_true(retry_is_due(&policy, 1000 + 14401, 1000));
	assert_true(retry_is_due(&policy, UINT64_MAX, 1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_delay_doubles_up_to_the_most),
		cmocka_unit_test(test_the_jitter_is_bounded),
		cmocka_unit_test(test_odd_policies),
		cmocka_unit_test(test_the_end),
		cmocka_unit_test(test_a_time_that_has_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
