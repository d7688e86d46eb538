#include "tests/unit/queue/rig.h"

/* Time: what expires, and a clock that is set back. */

/* What waits for a dead host expires too, although only a few were tried. */
static void
test_untried_mail_of_a_dead_host_expires(void **state)
{
	unsigned int rounds = 0;

	(void)state;
	rig_submit_many("u@dead.example", 300);
	rig_run();
	house_now += 3 * 86400ULL * 1000;
	rig_submit_many(
	    "u@dead.example", 50); /* not to expire with the others */
	while (rig_house.lifecycle.totals.failed < 300) {
		assert_true(++rounds < 200);
		for (unsigned int i = 0; i < rig_given_count; i++)
			if (rig_given[i].open)
				rig_report(&rig_given[i], REPORT_DEFERRED,
				    REPORT_SCOPE_DESTINATION);
		for (int turn = 0; turn < 20; turn++)
			rig_run();
		house_is_sound(&rig_house);
		assert_int_equal(rig_house.lifecycle.totals.waiting +
				     rig_house.lifecycle.totals.failed,
		    350);
		house_now += 2 * 3600ULL * 1000;
		scheduler_wake();
	}
	assert_int_equal(rig_house.lifecycle.totals.failed, 300);
	assert_true(rig_given_count < 60);
	/* Neither before its time nor long after. */
	assert_true(house_now >= 1800000000000 + 5 * 86400ULL * 1000);
	assert_true(house_now <= 1800000000000 + 6 * 86400ULL * 1000);
}

/* The clock was a day ahead and is set right: what was written in the future
 * does not wait for it. */
static void
test_the_clock_is_set_back(void **state)
{
	uint64_t deferred;

	(void)state;
	house_now += 86400 * 1000ULL;
	rig_agent = AGENT_COMING;
	rig_submit_one("fresh@example.com");
	deferred = rig_submit_one("later@other.example");
	rig_run();
	rig_agent = AGENT_READY;
	house_now -= 86400 * 1000ULL;
	scheduler_agent_ready(ROUTE_MX, NULL);
	rig_run();
	assert_int_equal(rig_given_count, 2);
	rig_report(&rig_given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	/* This one is deferred while the clock is ahead once more. */
	house_now += 86400 * 1000ULL;
	rig_report(&rig_given[1], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
	assert_int_equal(rig_given_count, 2);
	house_now -= 86400 * 1000ULL;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_given_count, 3);
	assert_int_equal(rig_given[2].id, deferred);
}

/* A back-off that was set in the future does not keep a new one from being
 * set: the host is not asked again and again until that time has come. */
static void
test_back_off_after_the_clock_is_set_back(void **state)
{
	(void)state;
	house_now += 86400 * 1000ULL;
	rig_submit_one("u@example.com");
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
	house_now -= 86400 * 1000ULL;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_given_count, 2);
	rig_report(&rig_given[1], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	for (int turn = 0; turn < 5; turn++)
		rig_run();
	assert_int_equal(rig_given_count, 2);
	house_now += 3600 * 1000ULL;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_given_count, 3);
}

/* Also what waits for its time in memory, since its neighbour is in flight. */
static void
test_the_clock_is_set_back_while_one_is_busy(void **state)
{
	(void)state;
	house_now += 86400 * 1000ULL;
	rig_submit_one("u@example.com");
	rig_submit_one("v@example.com");
	rig_run();
	assert_int_equal(rig_given_count, 2);
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_int_equal(rig_given_count, 2);
	house_now -= 86400 * 1000ULL;
	rig_wait_ms(300);
	rig_run();
	assert_int_equal(rig_given_count, 3);
}

/* The clock was behind when a message came, and is right when it is written:
 * its destination is not looked at later than it is due, should the clock be
 * behind once more. */
static void
test_a_destination_is_not_woken_late(void **state)
{
	struct row_destination row;
	uint64_t due;

	(void)state;
	rig_agent = AGENT_FULL;
	rig_submit_one("u@example.com");
	rig_run();
	house_now -= 10 * 1000;
	due = house_now / 1000;
	rig_submit_one("v@example.com");
	house_now += 20 * 1000;
	rig_run();
	assert_true(house_destination(&rig_house, "mx:example.com", &row));
	assert_int_equal(row.wake, due);
	/* What comes later leaves the key where it is. */
	house_now += 5 * 1000;
	rig_submit_one("w@example.com");
	rig_run();
	assert_true(house_destination(&rig_house, "mx:example.com", &row));
	assert_int_equal(row.wake, due);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_untried_mail_of_a_dead_host_expires),
		RIG_TEST(test_the_clock_is_set_back),
		RIG_TEST(test_back_off_after_the_clock_is_set_back),
		RIG_TEST(test_the_clock_is_set_back_while_one_is_busy),
		RIG_TEST(test_a_destination_is_not_woken_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
