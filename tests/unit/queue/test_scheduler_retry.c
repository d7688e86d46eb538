#include "tests/unit/queue/rig.h"

#include "queue/commit.h"
#include "queue/tell.h"

/* Days in the life of mail that cannot be delivered. */

#define DAY (UINT64_C(86400) * 1000)

/* Goes to the time of its next try. False if it waits no more. */
static bool
wait_for_next(uint64_t id)
{
	struct row_recipient row;

	if (!house_recipient(&rig_house, id, 0, &row) ||
	    row.state != RECIPIENT_WAITING)
		return false;
	assert_true(row.due * 1000 > house_now);
	house_now = row.due * 1000 - 1000;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open(NULL), 0); /* a second too early */
	house_now += 1000;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open(NULL), 1);
	return true;
}

/* A recipient that is refused for now, for all of the five days. */
static unsigned int
live(uint64_t gaps[], unsigned int most)
{
	uint64_t begun = house_now, before = house_now;
	uint64_t id = rig_submit_one("u@example.com");
	unsigned int tries = 0;

	rig_run();
	do {
		assert_true(tries < most);
		gaps[tries++] = (house_now - before) / 1000;
		before = house_now;
		assert_true(house_now - begun < 5 * DAY + 4 * 3600 * 1000);
		rig_report(rig_first_open("mx:example.com"), REPORT_DEFERRED,
		    REPORT_SCOPE_RECIPIENT);
		rig_run();
	} while (wait_for_next(id));
	assert_true(house_now - begun >= 5 * DAY);
	assert_int_equal(rig_house.lifecycle.totals.waiting, 0);
	return tries;
}

static void
test_five_days(void **state)
{
	uint64_t gaps[2][100] = { 0 };
	unsigned int equal = 0;

	(void)state;
	for (unsigned int life = 0; life < 2; life++) {
		unsigned int tries = live(gaps[life], 100);

		assert_true(tries > 30 && tries < 60);
		/* 5, 10, 20 ... minutes, less up to a quarter. */
		for (unsigned int i = 1; i < tries; i++) {
			uint64_t full = UINT64_C(300) << (i < 7 ? i - 1 : 6);

			if (full > 14400)
				full = 14400;
			assert_true(gaps[life][i] <= full);
			assert_true(gaps[life][i] >= full * 3 / 4);
			assert_true(gaps[life][i] >= 300);
		}
	}
	for (unsigned int i = 2; i < 30; i++)
		equal += gaps[0][i] == gaps[1][i];
	assert_true(equal < 10); /* nobody comes twice at the same times */
}

/* One recipient's refusal is nobody else's. */
static void
test_others_do_not_wait_for_a_refused_one(void **state)
{
	struct row_destination d;

	(void)state;
	rig_submit_one("full@example.com");
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_submit_one("other@example.com");
	rig_run();
	assert_int_equal(rig_open("mx:example.com"), 1);
	assert_true(house_destination(&rig_house, "mx:example.com", &d));
	assert_int_equal(d.failures, 0);
	assert_int_equal(d.backoff_until, 0);
}

/* A dead host costs a look for each time that it backs off, whatever comes for
 * it meanwhile. */
static void
test_a_dead_host_costs_one_look(void **state)
{
	unsigned int first, looks = 0;

	(void)state;
	rig_submit_one("u@dead.example");
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
	first = rig_given_count;
	/* Two messages a minute, for a day. */
	for (unsigned int minute = 0; minute < 24 * 60; minute++) {
		house_now += 60 * 1000;
		rig_submit_many("u@dead.example", 2);
		scheduler_wake();
		rig_run();
		assert_true(rig_open(NULL) <= 1);
		if (rig_open(NULL) == 0)
			continue;
		rig_report(rig_first_open("mx:dead.example"), REPORT_DEFERRED,
		    REPORT_SCOPE_DESTINATION);
		rig_run();
		looks++;
	}
	assert_int_equal(rig_given_count - first, looks);
	assert_true(looks >= 8 && looks <= 16);
}

/* What is on hold waits for the administrator, however long; then it is tried
 * once more before it is too old. */
static void
test_held_mail_does_not_expire(void **state)
{
	uint64_t id = rig_submit_one("u@example.com");
	struct row_recipient row;

	(void)state;
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
	assert_int_equal(commit_verb(CTL_VERB_HOLD, id, 0, 0, NULL, NULL), 0);
	rig_run();
	for (unsigned int day = 0; day < 30; day++) {
		house_now += DAY;
		scheduler_wake();
		rig_run();
	}
	assert_int_equal(rig_given_count, 1);
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_HELD);
	assert_int_equal(
	    commit_verb(CTL_VERB_RELEASE, id, 0, 0, NULL, NULL), 0);
	rig_run();
	assert_int_equal(rig_open("mx:example.com"), 1);
	rig_report(&rig_given[1], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_int_equal(rig_house.lifecycle.totals.waiting, 0);
	assert_int_equal(rig_house.lifecycle.totals.held, 0);
}

#define WAITING 50

static uint64_t
submit_that_asks_for_delay(void)
{
	struct submission *s =
	    house_mail(300, (const char *const[]){ "u@dead.example", NULL });
	uint64_t id = s->id;

	s->recipients[0].notify = DSN_NOTIFY_DELAY;
	s->answer = rig_on_answer;
	commit_submission(s);
	return id;
}

/* One look at the dead host, and all that comes of it. */
static void
look_at_dead_host(void)
{
	scheduler_wake();
	rig_run();
	rig_report(rig_first_open("mx:dead.example"), REPORT_DEFERRED,
	    REPORT_SCOPE_DESTINATION);
	for (unsigned int turn = 0; turn < 20; turn++)
		rig_run();
	assert_int_equal(rig_open(NULL), 0);
}

static unsigned int
attempts_of(uint64_t id)
{
	struct row_recipient row;

	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_WAITING);
	return row.attempts;
}

/* As the commit of a report does. */
static void
note_told(uint64_t id)
{
	struct telling t = {
		.id = id, .count = 1, .recipients = { { 0, TELL_DELAY } }
	};
	struct row_totals before = rig_house.lifecycle.totals;
	struct lifecycle_result result = { .applied = false };

	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(lifecycle_apply_telling(
			     &rig_house.lifecycle, &t, 1, house_now, &result),
	    0);
	free(result.line);
	assert_int_equal(destinations_flush(&rig_house.destinations,
			     rig_house.store, house_now / 1000),
	    0);
	assert_int_equal(
	    lifecycle_write_totals(&rig_house.lifecycle, &before), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
}

/* Whose mail waits for a dead host hears of it in time, also if another's was
 * always the one that was tried; once, and why. */
static void
test_untried_mail_of_a_dead_host_is_warned_of(void **state)
{
	struct row_destination d;
	struct row_recipient row;
	uint64_t ids[WAITING];
	unsigned int before, attempts = 0;

	(void)state;
	rig_house.lifecycle.warn_after = 4 * 3600;
	submit_that_asks_for_delay();
	look_at_dead_host();
	rig_submit_one("u@dead.example"); /* of failure only */
	for (unsigned int i = 0; i < WAITING; i++)
		ids[i] = submit_that_asks_for_delay();
	rig_run();
	house_now += 3 * 3600 * 1000;
	look_at_dead_host();
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
	house_now += 3 * 3600 * 1000;
	look_at_dead_host();
	assert_int_equal(rig_given_count, 3);
	assert_int_equal(house_count(&rig_house, STORE_REPORT), WAITING + 1);
	assert_true(house_destination(&rig_house, "mx:dead.example", &d));
	for (unsigned int i = 0; i < WAITING; i++) {
		assert_true(house_recipient(&rig_house, ids[i], 0, &row));
		assert_string_equal(row.reply, "what it said");
		assert_true(row.due <= d.backoff_until);
		attempts += attempts_of(ids[i]);
	}
	assert_true(attempts <= 2); /* as were made: a warning is none */
	for (unsigned int i = 0; i < WAITING; i++)
		note_told(ids[i]);
	before = attempts_of(ids[WAITING - 1]);
	house_now += 5 * 3600 * 1000;
	look_at_dead_host();
	assert_int_equal(attempts_of(ids[WAITING - 1]), before);
	house_is_sound(&rig_house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_five_days),
		RIG_TEST(test_others_do_not_wait_for_a_refused_one),
		RIG_TEST(test_a_dead_host_costs_one_look),
		RIG_TEST(test_held_mail_does_not_expire),
		RIG_TEST(test_untried_mail_of_a_dead_host_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
