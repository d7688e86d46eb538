/* The memory for addresses that do not answer. */
#include "test.h"

#include "common/limits.h"
#include "deliver/remote/bad_address.h"

static struct endpoint
endpoint(unsigned int n)
{
	struct endpoint e;
	uint8_t address[4] = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n };

	endpoint_set(&e, AF_INET, address, 25);
	return e;
}

static void
test_remembers_for_a_while(void **unused)
{
	struct monotime now = { 0 };
	struct endpoint a = endpoint(1), b = endpoint(2);
	struct monotime late =
	    monotime_add_ms(now, LIMIT_BAD_ADDRESS_SECONDS * INT64_C(1000));

	(void)unused;
	assert_false(bad_address_is(&a, now));
	bad_address_add(&a, now);
	assert_true(bad_address_is(&a, now));
	assert_false(bad_address_is(&b, now));
	assert_true(bad_address_is(&a, monotime_add_ms(late, -1)));
	assert_false(bad_address_is(&a, late));
	bad_address_add(&a, late);
	assert_true(bad_address_is(&a, late));
	bad_address_forget(&a);
	assert_false(bad_address_is(&a, late));
	bad_address_forget(&b);
}

static void
test_bounded(void **unused)
{
	struct monotime now = { 0 };
	unsigned int known = 0;

	(void)unused;
	for (unsigned int i = 0; i < 4 * LIMIT_BAD_ADDRESSES; i++) {
		struct endpoint e = endpoint(i);

		bad_address_add(&e, now);
		assert_true(bad_address_is(&e, now));
	}
	for (unsigned int i = 0; i < 4 * LIMIT_BAD_ADDRESSES; i++) {
		struct endpoint e = endpoint(i);

		known += bad_address_is(&e, now);
	}
	assert_int_equal(known, LIMIT_BAD_ADDRESSES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembers_for_a_while),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
