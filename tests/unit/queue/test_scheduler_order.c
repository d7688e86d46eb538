#include "tests/unit/queue/rig.h"

#include "queue/commit.h"

/* What goes first: fresh mail, and what the administrator asks for; and how
 * fast a destination is given more. */

#define BIG "mx:big.example"

static void
fail_all(void)
{
	for (unsigned int i = 0; i < rig_given_count; i++)
		if (rig_given[i].open)
			rig_report(&rig_given[i], REPORT_DEFERRED,
			    REPORT_SCOPE_DESTINATION);
	rig_run();
}

/* A host is down, and so much mail waits for it. Returns the last one. */
static uint64_t
make_backlog(unsigned int count)
{
	uint64_t last;

	rig_submit_many("u@big.example", count - 1);
	last = rig_submit_one("u@big.example");
	rig_run();
	fail_all();
	assert_int_equal(rig_open(NULL), 0);
	return last;
}

/* Its time has come, and it answers. */
static void
come_back(void)
{
	house_now += 400 * 1000;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open(BIG), 1);
}

/* One delivery succeeds, and so the next ones begin. */
static void
go_on(void)
{
	rig_report(
	    rig_first_open(BIG), REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_run();
}

static bool
is_given(uint64_t id)
{
	for (unsigned int i = 0; i < rig_given_count; i++)
		if (rig_given[i].id == id)
			return true;
	return false;
}

static void
test_fresh_mail_goes_before_old(void **state)
{
	uint64_t fresh;

	(void)state;
	make_backlog(500);
	come_back();
	go_on();
	fresh = rig_submit_one("u@big.example");
	rig_run();
	for (unsigned int i = 0; i < 2 && !is_given(fresh); i++)
		go_on();
	assert_true(is_given(fresh));
}

/* What came while the host was down was fresh then. */
static void
test_mail_that_piles_up_is_old(void **state)
{
	uint64_t fresh;

	(void)state;
	make_backlog(200);
	for (unsigned int i = 0; i < 200; i++) {
		house_now += 1000;
		rig_submit_one("u@big.example");
	}
	rig_run();
	come_back();
	for (unsigned int i = 0; i < 5; i++)
		go_on();
	fresh = rig_submit_one("u@big.example");
	rig_run();
	for (unsigned int i = 0; i < 3 && !is_given(fresh); i++)
		go_on();
	assert_true(is_given(fresh));
}

/* Nor does it matter whether it is a host or a user. */
static void
test_fresh_local_mail_goes_before_old(void **state)
{
	uint64_t fresh;

	(void)state;
	rig_submit_many("alice@local.test", 500);
	rig_run();
	assert_int_equal(rig_given_count, SCHEDULER_WINDOW_LOCAL);
	fresh = rig_submit_one("alice@local.test");
	rig_run();
	for (unsigned int i = 0; i < 2 && !is_given(fresh); i++) {
		rig_report(rig_first_open("local:alice"), REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	assert_true(is_given(fresh));
}

/* Nor does the old one wait for a stream of fresh mail. */
static void
test_old_mail_takes_turns_with_fresh(void **state)
{
	uint64_t first_fresh;
	unsigned int old = 0, fresh = 0, from;

	(void)state;
	make_backlog(100);
	come_back();
	go_on();
	first_fresh = rig_submit_one("u@big.example");
	rig_submit_many("u@big.example", 100);
	rig_run();
	from = rig_given_count;
	for (unsigned int i = 0; i < 40; i++)
		go_on();
	for (unsigned int i = from; i < rig_given_count; i++)
		if (rig_given[i].id < first_fresh)
			old++;
		else
			fresh++;
	assert_true(old >= 15);
	assert_true(fresh >= 15);
}

/* Also what could not be handed out for a moment. */
static void
test_fresh_mail_stays_fresh(void **state)
{
	uint64_t fresh;

	(void)state;
	make_backlog(100);
	come_back();
	go_on();
	fresh = rig_submit_one("u@big.example");
	rig_agent_lacks = true;
	go_on();
	for (unsigned int i = 0; i < 2; i++) {
		rig_wait_ms(1300);
		rig_run();
	}
	assert_false(is_given(fresh));
	rig_agent_lacks = false;
	rig_wait_ms(1300);
	rig_run();
	for (unsigned int i = 0; i < 2 && !is_given(fresh); i++)
		go_on();
	assert_true(is_given(fresh));
}

/* What was tried, or waits for long, is not fresh, whatever came since. */
static void
test_the_agent_is_told_what_is_fresh(void **state)
{
	unsigned int from;
	uint64_t fresh;

	(void)state;
	make_backlog(20);
	for (unsigned int i = 0; i < rig_given_count; i++)
		assert_true(rig_given[i].fresh);
	from = rig_given_count;
	come_back();
	go_on();
	fresh = rig_submit_one("u@big.example");
	for (unsigned int i = 0; i < 12; i++)
		go_on();
	assert_true(is_given(fresh));
	assert_true(rig_given_count > from + 12);
	for (unsigned int i = from; i < rig_given_count; i++)
		assert_int_equal(rig_given[i].fresh, rig_given[i].id == fresh);
}

/* -- The administrator asks ----------------------------------------------- */

/* The host backs off, and there is much other mail for it. */
static void
test_retry_is_at_once(void **state)
{
	uint64_t wanted = make_backlog(300);
	unsigned int before = rig_given_count;

	(void)state;
	rig_run();
	assert_int_equal(rig_given_count, before);
	assert_int_equal(
	    commit_verb(CTL_VERB_RETRY, wanted, 0, 0, NULL, NULL), 0);
	rig_run();
	assert_int_equal(rig_given_count, before + 1);
	assert_int_equal(rig_given[before].id, wanted);
	/* It is still down: nothing else is tried for that. */
	fail_all();
	rig_run();
	assert_int_equal(rig_given_count, before + 1);
}

/* Hosts that failed, and hang now, have all the places for their like. */
static void
test_retry_does_not_wait_for_dead_hosts(void **state)
{
	enum { HOSTS = 1500 };
	static uint64_t ids[HOSTS];
	char address[64], name[64];

	(void)state;
	for (unsigned int i = 0; i < HOSTS; i++) {
		snprintf(address, sizeof(address), "u@dead%u.example", i);
		ids[i] = rig_submit_one(address);
		if (i % 500 == 499)
			rig_run();
	}
	while (rig_open(NULL) > 0)
		fail_all();
	assert_int_equal(rig_given_count, HOSTS);
	house_now += 400 * 1000;
	scheduler_wake();
	for (int turn = 0; turn < 10; turn++)
		rig_run();
	assert_true(rig_given_count < 2 * HOSTS);
	for (unsigned int i = 0; i < HOSTS; i += 100) {
		snprintf(name, sizeof(name), "mx:dead%u.example", i);
		if (rig_open(name) > 0)
			continue;
		assert_int_equal(
		    commit_verb(CTL_VERB_RETRY, ids[i], 0, 0, NULL, NULL), 0);
		rig_run();
		assert_int_equal(rig_open(name), 1);
	}
}

/* -- The window ------------------------------------------------------------ */

/* It is deliveries that succeed, not recipients. */
static void
test_the_window_grows_by_deliveries(void **state)
{
	const char *many[DELIVERY_RECIPIENTS + 1];

	(void)state;
	for (unsigned int i = 0; i < DELIVERY_RECIPIENTS; i++)
		many[i] = "u@big.example";
	many[DELIVERY_RECIPIENTS] = NULL;
	rig_submit(many);
	rig_submit_many("u@big.example", 50);
	rig_run();
	assert_int_equal(rig_given[0].count, DELIVERY_RECIPIENTS);
	go_on();
	assert_int_equal(rig_open(BIG), SCHEDULER_WINDOW_FIRST + 1);
}

/* What fails together fails once. */
static void
test_the_window_halves_once(void **state)
{
	(void)state;
	rig_submit_many("u@big.example", 300);
	rig_run();
	while (rig_open(BIG) < SCHEDULER_WINDOW_MOST)
		go_on();
	fail_all();
	come_back();
	go_on();
	assert_int_equal(rig_open(BIG), SCHEDULER_WINDOW_MOST / 2 + 1);
}

static uint32_t
failures(void)
{
	struct row_destination d;

	assert_true(house_destination(&rig_house, BIG, &d));
	return d.failures;
}

static void
fail_one(void)
{
	rig_report(
	    rig_first_open(BIG), REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
}

/* It takes three connections and refuses others, so that some fail while some
 * succeed: it is given less at a time, and is not down. */
static void
test_a_host_that_takes_few_at_a_time(void **state)
{
	unsigned int given;

	(void)state;
	rig_submit_many("u@big.example", 100);
	rig_run();
	while (rig_open(BIG) < 10)
		go_on();
	fail_one();
	fail_one();
	fail_one();
	assert_int_equal(failures(), 0);
	while (rig_open(BIG) > 6)
		go_on();
	given = rig_given_count;
	go_on();
	assert_true(rig_given_count > given);
	assert_true(rig_open(BIG) < 10);
	assert_int_equal(failures(), 0);
	/* What failed has a time of its own. */
	house_now += 400 * 1000;
	scheduler_wake();
	while (rig_house.lifecycle.totals.waiting > 0)
		go_on();
}

/* As many in a row as it may have at once, and it is down; or the last one. */
static void
test_a_host_that_takes_none(void **state)
{
	unsigned int given;

	(void)state;
	rig_submit_many("u@big.example", 100);
	rig_run();
	while (rig_open(BIG) < 10)
		go_on();
	given = rig_given_count;
	for (unsigned int i = 0; i < 4; i++)
		fail_one();
	assert_int_equal(failures(), 0);
	fail_one();
	assert_int_equal(failures(), 1);
	fail_all();
	assert_int_equal(rig_given_count, given);
	assert_int_equal(failures(), 1);
}

static void
test_the_last_one_decides(void **state)
{
	(void)state;
	rig_submit_one("u@big.example");
	rig_run();
	go_on();
	rig_submit_one("u@big.example");
	rig_submit_one("u@big.example");
	rig_run();
	fail_one();
	assert_int_equal(failures(), 0);
	fail_one();
	assert_int_equal(failures(), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_fresh_mail_goes_before_old),
		RIG_TEST(test_mail_that_piles_up_is_old),
		RIG_TEST(test_fresh_local_mail_goes_before_old),
		RIG_TEST(test_old_mail_takes_turns_with_fresh),
		RIG_TEST(test_fresh_mail_stays_fresh),
		RIG_TEST(test_the_agent_is_told_what_is_fresh),
		RIG_TEST(test_retry_is_at_once),
		RIG_TEST(test_retry_does_not_wait_for_dead_hosts),
		RIG_TEST(test_the_window_grows_by_deliveries),
		RIG_TEST(test_the_window_halves_once),
		RIG_TEST(test_a_host_that_takes_few_at_a_time),
		RIG_TEST(test_a_host_that_takes_none),
		RIG_TEST(test_the_last_one_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
