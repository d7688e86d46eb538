/* How long a connection waits, by a clock of the test's own. */
#include "test.h"

#include "common/limits.h"
#include "deliver/remote/patience.h"

#define MINUTE (INT64_C(60) * 1000)
#define MESSAGE_MS (LIMIT_MESSAGE_SECONDS * INT64_C(1000))

static struct monotime
at(int64_t ms)
{
	return monotime_add_ms((struct monotime){ 0 }, ms);
}

static void
test_only_what_moves_begins_a_wait(void **unused)
{
	struct patience p = { 0 };

	(void)unused;
	assert_int_equal(patience_wait(&p, 7, 100, 300, at(0)), 5 * MINUTE);
	assert_false(patience_is_moved(&p, 7, 100));
	assert_true(patience_is_moved(&p, 8, 100));
	assert_true(patience_is_moved(&p, 7, 101));
	assert_int_equal(patience_wait(&p, 8, 101, 120, at(1)), 2 * MINUTE);
	assert_false(patience_is_last(&p));
	assert_false(patience_is_moved(&p, 8, 101));
}

/* A host that answers each line at the last moment, for ever. */
static void
test_a_message_has_an_end(void **unused)
{
	struct patience p = { 0 };
	unsigned int steps = 0;
	int64_t now = 17, wait;

	(void)unused;
	patience_begin(&p, at(now));
	do {
		wait = patience_wait(&p, steps++, 0, 300, at(now));
		assert_true(wait <= 5 * MINUTE);
		now += wait;
		assert_int_equal(patience_is_last(&p), now == 17 + MESSAGE_MS);
	} while (wait > 0);
	assert_int_equal(now, 17 + MESSAGE_MS);
	assert_int_equal(patience_wait(&p, steps, 0, 300, at(now + MINUTE)), 0);
}

/* Once all is sent, RFC 5321 4.5.3.2.6 holds whole; and a connection that
 * waits for the next message has no deadline. */
static void
test_the_end_of_the_deadline(void **unused)
{
	struct patience p = { 0 };

	(void)unused;
	patience_begin(&p, at(0));
	assert_int_equal(
	    patience_wait(&p, 1, 1, 600, at(MESSAGE_MS - MINUTE)), MINUTE);
	assert_true(patience_is_last(&p));
	patience_end(&p);
	assert_int_equal(
	    patience_wait(&p, 1, 1, 600, at(MESSAGE_MS - MINUTE)), 10 * MINUTE);
	assert_false(patience_is_last(&p));
	patience_begin(&p, at(MESSAGE_MS));
	assert_int_equal(
	    patience_wait(&p, 2, 0, 300, at(MESSAGE_MS)), 5 * MINUTE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_moves_begins_a_wait),
		cmocka_unit_test(test_a_message_has_an_end),
		cmocka_unit_test(test_the_end_of_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
