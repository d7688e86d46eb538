/* The envelope, and what is left of it for the next host. */
#include "test.h"

#include "deliver/remote/transaction.h"

static void
test_compact(void **unused)
{
	static const char *const names[] = { "a@x.test", "b@x.test", "c@x.test",
		"d@x.test" };
	struct transaction *t =
	    transaction_new("s@x.test", SMTP_BODY_8BITMIME, 12, 4);

	(void)unused;
	assert_non_null(t);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(
		    transaction_add(t, i + 10, names[i], 0, "x;y"), 0);
	t->recipients[0].settled = true;
	t->recipients[1].accepted = true;
	t->recipients[2].settled = true;
	transaction_compact(t);
	assert_int_equal(t->count, 2);
	assert_int_equal(t->recipients[0].number, 11);
	assert_string_equal(t->recipients[0].address, "b@x.test");
	assert_false(t->recipients[0].accepted);
	assert_int_equal(t->recipients[1].number, 13);
	t->recipients[0].settled = true;
	t->recipients[1].settled = true;
	transaction_compact(t);
	assert_int_equal(t->count, 0);
	transaction_free(&t);
	assert_null(t);
	transaction_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_compact) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
