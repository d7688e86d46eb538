#include "tests/unit/queue/rig.h"

#include "queue/commit.h"
#include "queue/stats.h"

static void
test_two_commits_and_no_look_at_the_store(void **state)
{
	uint64_t id, before = stats.commits;

	(void)state;
	id = rig_submit_one("u@example.com");
	rig_run();
	assert_int_equal(rig_answers_250, 1);
	assert_int_equal(rig_given_count, 1);
	assert_int_equal(rig_given[0].id, id);
	rig_report(&rig_given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_int_equal(stats.commits - before, 2);
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
	assert_int_equal(rig_given_count, 1);
}

static void
test_the_window_grows_and_halves(void **state)
{
	unsigned int last;

	(void)state;
	rig_submit_many("u@example.com", 200);
	rig_run();
	assert_int_equal(rig_given_count, SCHEDULER_WINDOW_FIRST);
	for (int i = 0; i < 40; i++) {
		rig_report(rig_first_open("mx:example.com"), REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	assert_int_equal(rig_open("mx:example.com"), SCHEDULER_WINDOW_MOST);
	/* A rig_refusal of one recipient says nothing about the host. */
	rig_report(rig_first_open("mx:example.com"), REPORT_DEFERRED,
	    REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_int_equal(rig_open("mx:example.com"), SCHEDULER_WINDOW_MOST);
	last = rig_given_count;
	/* The host is down: nothing more, though 100 are due. */
	for (int i = 0; i < SCHEDULER_WINDOW_MOST; i++)
		rig_report(rig_first_open("mx:example.com"), REPORT_DEFERRED,
		    REPORT_SCOPE_DESTINATION);
	rig_run();
	assert_int_equal(rig_given_count, last);
	house_now += 200 * 1000ULL;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_given_count, last);
	/* After the back-off one is tried, alone. */
	house_now += 100 * 1000ULL;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_given_count, last + 1);
	rig_report(&rig_given[last], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
	assert_int_equal(rig_given_count, last + 1);
	house_now += 600 * 1000ULL;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_given_count, last + 2);
	/* It answers: its mail goes again. */
	rig_report(
	    &rig_given[last + 1], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_true(rig_open("mx:example.com") > 1);
}

static void
test_recipients_of_one_message_travel_together(void **state)
{
	const char *addresses[251];
	char texts[250][32];

	(void)state;
	for (int i = 0; i < 250; i++) {
		snprintf(texts[i], sizeof(texts[i]), "u%d@example.com", i);
		addresses[i] = texts[i];
	}
	addresses[250] = NULL;
	rig_submit(addresses);
	rig_submit_one("other@example.com");
	rig_run();
	assert_int_equal(rig_given_count, 4);
	assert_int_equal(rig_given[0].count, DELIVERY_RECIPIENTS);
	assert_int_equal(rig_given[1].count, DELIVERY_RECIPIENTS);
	assert_int_equal(rig_given[2].count, 50);
	assert_int_equal(rig_given[3].count, 1);
}

static void
test_local_mail_goes_one_by_one_and_many_at_once(void **state)
{
	const char *const both[] = { "alice@local.test", "bob@local.test",
		NULL };

	(void)state;
	rig_submit(both);
	rig_submit_many("alice@local.test", 200);
	rig_run();
	assert_int_equal(rig_open("local:alice"), SCHEDULER_WINDOW_LOCAL);
	assert_int_equal(rig_open("local:bob"), 1);
	for (unsigned int i = 0; i < rig_given_count; i++)
		assert_int_equal(rig_given[i].count, 1);
}

static void
test_the_worker_comes_later(void **state)
{
	(void)state;
	rig_submit_one("alice@local.test");
	rig_submit_one("bob@local.test");
	rig_agent = AGENT_COMING;
	rig_run();
	rig_run();
	assert_int_equal(rig_given_count, 0);
	rig_agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MAILBOX, "local:bob");
	rig_run();
	assert_int_equal(rig_given_count, 1);
	assert_string_equal(rig_given[0].destination->name, "local:bob");
	scheduler_agent_ready(ROUTE_MAILBOX, "local:alice");
	rig_run();
	assert_int_equal(rig_given_count, 2);
}

/* Whoever was told of a free slot and has no use for it passes it on. */
static void
test_a_free_slot_is_passed_on(void **state)
{
	uint64_t first;

	(void)state;
	rig_agent = AGENT_FULL;
	first = rig_submit_one("u@a.example");
	rig_submit_one("u@b.example");
	rig_run();
	assert_int_equal(
	    commit_verb(CTL_VERB_REMOVE, first, 0, 0, NULL, NULL), 0);
	rig_run();
	rig_agent = AGENT_READY;
	scheduler_slot_free(ROUTE_MX);
	rig_run();
	assert_int_equal(rig_open("mx:b.example"), 1);
}

/* A new message is tried at once although an older one of the same destination
 * waits for its time, with something in flight or not. */
static void
test_fresh_mail_does_not_wait_for_deferred_mail(void **state)
{
	(void)state;
	rig_submit_many("u@example.com", 2);
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	rig_submit_one("u@example.com"); /* rig_given[1] is still in flight */
	rig_run();
	assert_int_equal(rig_given_count, 3);
	rig_report(&rig_given[1], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_report(&rig_given[2], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	rig_submit_one("u@example.com");
	rig_run();
	assert_int_equal(rig_given_count, 4);
}

static void
test_removed_in_flight(void **state)
{
	uint64_t id = rig_submit_one("u@example.com");

	(void)state;
	rig_run();
	assert_int_equal(rig_given_count, 1);
	assert_int_equal(commit_verb(CTL_VERB_REMOVE, id, 0, 0, NULL, NULL), 0);
	rig_run();
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 0);
	assert_int_equal(rig_given_count, 1);
}

static void
test_retry_brings_it_forward(void **state)
{
	uint64_t id = rig_submit_one("u@example.com");

	(void)state;
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	rig_run();
	assert_int_equal(rig_given_count, 1);
	assert_int_equal(commit_verb(CTL_VERB_RETRY, id, 0, 0, NULL, NULL), 0);
	rig_run();
	assert_int_equal(rig_given_count, 2);
	assert_int_equal(rig_given[1].id, id);
}

/* What the scheduler itself reports fills no batch beyond its bound. */
static void
test_a_turn_is_bounded(void **state)
{
	enum { MESSAGES = 30, RECIPIENTS = DELIVERY_RECIPIENTS };
	static char address[RECIPIENTS][64];
	const char *list[RECIPIENTS + 1] = { NULL };
	uint64_t before;

	(void)state;
	for (int message = 0; message < MESSAGES; message++) {
		for (int i = 0; i < RECIPIENTS; i++) {
			snprintf(address[i], sizeof(address[i]),
			    "u%d@d%d.example", i, message);
			list[i] = address[i];
		}
		rig_submit(list);
	}
	commit_run();
	rig_agent = AGENT_REFUSED;
	rig_refusal = (struct lifecycle_report){
		.outcome = REPORT_FAILED,
		.scope = REPORT_SCOPE_RECIPIENT,
		.host = "",
		.reply = "5.4.4 no such relay",
	};
	before = stats.commit_operations;
	scheduler_dispatch();
	commit_run();
	assert_true(stats.commit_operations - before >= 1024);
	assert_true(stats.commit_operations - before <= 1024 + RECIPIENTS);
	rig_run_all();
	assert_int_equal(
	    rig_house.lifecycle.totals.failed, MESSAGES * RECIPIENTS);
}

static void
test_paused_nothing_is_given_out(void **state)
{
	(void)state;
	scheduler_pause(true);
	rig_submit_one("u@example.com");
	rig_run();
	assert_int_equal(rig_answers_250, 1);
	assert_int_equal(rig_given_count, 0);
	scheduler_pause(false);
	rig_run();
	assert_int_equal(rig_given_count, 1);
}

/* Thousands of random steps with everything that can happen. */
static void
test_a_random_life(void **state)
{
	static const char *const to[] = { "u@a.example", "u@b.example",
		"u@c.example", "alice@local.test", "bob@local.test" };
	unsigned int seed = 815;

	(void)state;
	for (int step = 0; step < 4000; step++) {
		unsigned int what = (unsigned int)rand_r(&seed) % 10;

		house_now += (uint64_t)(rand_r(&seed) % 20000);
		rig_agent = rand_r(&seed) % 4 == 0 ? AGENT_COMING : AGENT_READY;
		if (rig_agent == AGENT_READY)
			scheduler_agent_ready(
			    rand_r(&seed) % 2 == 0 ? ROUTE_MX : ROUTE_MAILBOX,
			    NULL);
		if (what < 3 && rig_given_count < RIG_MOST_DELIVERIES - 1000)
			rig_submit_one(to[(size_t)rand_r(&seed) % COUNT(to)]);
		else if (rig_given_count > 0) {
			struct rig_given *g =
			    &rig_given[(unsigned int)rand_r(&seed) %
				       rig_given_count];

			if (g->open)
				rig_report(g,
				    (enum report_outcome)(
					rand_r(&seed) % REPORT_OUTCOMES),
				    (enum report_scope)(
					rand_r(&seed) % REPORT_SCOPES));
		}
		if (what == 9)
			scheduler_wake();
		rig_run();
		if (step % 200 == 0)
			house_is_sound(&rig_house);
	}
	/* In the end everything goes or has failed for good. */
	rig_agent = AGENT_READY;
	for (int round = 0;
	     round < 5000 && rig_house.lifecycle.totals.waiting > 0; round++) {
		scheduler_agent_ready(ROUTE_MX, NULL);
		scheduler_agent_ready(ROUTE_MAILBOX, NULL);
		house_now += 3600 * 1000ULL;
		scheduler_wake();
		rig_run();
		for (unsigned int i = 0; i < rig_given_count; i++)
			if (rig_given[i].open)
				rig_report(&rig_given[i], REPORT_DELIVERED,
				    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	assert_int_equal(rig_house.lifecycle.totals.waiting, 0);
	assert_int_equal(house_count(&rig_house, STORE_WAKE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_two_commits_and_no_look_at_the_store),
		RIG_TEST(test_the_window_grows_and_halves),
		RIG_TEST(test_recipients_of_one_message_travel_together),
		RIG_TEST(test_local_mail_goes_one_by_one_and_many_at_once),
		RIG_TEST(test_the_worker_comes_later),
		RIG_TEST(test_a_free_slot_is_passed_on),
		RIG_TEST(test_fresh_mail_does_not_wait_for_deferred_mail),
		RIG_TEST(test_removed_in_flight),
		RIG_TEST(test_retry_brings_it_forward),
		RIG_TEST(test_a_turn_is_bounded),
		RIG_TEST(test_paused_nothing_is_given_out),
		RIG_TEST(test_a_random_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
