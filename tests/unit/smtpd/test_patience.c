/* Who has to wait for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtpd/patience.h"

static const struct monotime start = { 1000000000000 };

static struct monotime
at(int64_t seconds)
{
	return monotime_add_ms(start, seconds * 1000);
}

/* The first second at which it is over. */
static int64_t
ends(const struct patience *p)
{
	return monotime_ms_between(start, p->deadline) / 1000;
}

static void
test_commands(void **unused)
{
	struct patience p;

	(void)unused;
	patience_start(&p, at(0));
	assert_false(patience_is_over(&p, at(PATIENCE_COMMAND - 1)));
	assert_true(patience_is_over(&p, at(PATIENCE_COMMAND)));
	patience_note(&p, at(100), SESSION_TURN_COMMAND, 1, 6);
	assert_int_equal(ends(&p), 100 + PATIENCE_COMMAND);
	/* A command that never ends. */
	patience_note(&p, at(200), SESSION_TURN_COMMAND, 1, 1000);
	assert_int_equal(ends(&p), 100 + PATIENCE_COMMAND);
}

static void
test_data(void **unused)
{
	struct patience p;

	(void)unused;
	patience_start(&p, at(0));
	patience_note(&p, at(10), SESSION_TURN_DATA, 4, 6);
	assert_int_equal(ends(&p), 10 + PATIENCE_DATA);
	patience_note(&p, at(20), SESSION_TURN_DATA, 4, 0);
	assert_int_equal(ends(&p), 10 + PATIENCE_DATA);
	patience_note(&p, at(30), SESSION_TURN_DATA, 4, 1);
	assert_int_equal(ends(&p), 30 + PATIENCE_DATA);
}

/* One octet a second: over when the whole has had its time. */
static void
test_slow_data(void **unused)
{
	struct patience p;
	int64_t now = 0;

	(void)unused;
	patience_start(&p, at(0));
	patience_note(&p, at(0), SESSION_TURN_DATA, 4, 0);
	while (!patience_is_over(&p, at(now)) && now < 100000)
		patience_note(&p, at(++now), SESSION_TURN_DATA, 4, 1);
	assert_in_range(now, PATIENCE_DATA_TOTAL, PATIENCE_DATA_TOTAL + 3);
}

/* A big message at a good pace is never cut off. */
static void
test_steady_data(void **unused)
{
	struct patience p;

	(void)unused;
	patience_start(&p, at(0));
	patience_note(&p, at(0), SESSION_TURN_DATA, 4, 0);
	for (int64_t now = 1; now < 20000; now++) {
		patience_note(&p, at(now), SESSION_TURN_DATA, 4,
		    (size_t)2 * PATIENCE_DATA_RATE);
		assert_false(patience_is_over(&p, at(now + 60)));
	}
	/* The next message begins anew. */
	patience_note(&p, at(20000), SESSION_TURN_ROUTER, 4, 5);
	assert_int_equal(ends(&p), 20000 + PATIENCE_ROUTER);
	patience_note(&p, at(20001), SESSION_TURN_DATA, 9, 5);
	assert_int_equal(p.received, 0);
}

static void
test_goodbye(void **unused)
{
	struct patience p;

	(void)unused;
	patience_start(&p, at(0));
	patience_note(&p, at(1), SESSION_TURN_NOBODY, 1, 6);
	assert_int_equal(ends(&p), 1 + PATIENCE_GOODBYE);
	/* However much it goes on to say. */
	patience_note(&p, at(3), SESSION_TURN_NOBODY, 1, 60000);
	assert_int_equal(ends(&p), 1 + PATIENCE_GOODBYE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_slow_data),
		cmocka_unit_test(test_steady_data),
		cmocka_unit_test(test_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
