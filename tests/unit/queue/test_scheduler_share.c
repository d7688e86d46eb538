#include "tests/unit/queue/rig.h"

#include "queue/commit.h"
#include "queue/scheduler_lists.h"
#include "queue/scheduler_share.h"

/* How destinations share what there is: also when thousands of them hang. */

static void
test_a_newcomer_does_not_wait_for_a_long_queue(void **state)
{
	unsigned int position;

	(void)state;
	rig_submit_many("u@big.example", 1000);
	rig_run();
	for (int i = 0; i < 30; i++) {
		rig_report(rig_first_open("mx:big.example"), REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	position = rig_given_count;
	rig_submit_one("u@small.example");
	rig_run();
	assert_true(rig_given_count - position <= 3);
	assert_int_equal(rig_open("mx:small.example"), 1);
}

static void
test_destinations_take_turns(void **state)
{
	unsigned int a = 0, b = 0;

	(void)state;
	rig_agent = AGENT_COMING;
	rig_submit_many("u@a.example", 50);
	rig_submit_many("u@b.example", 50);
	rig_run();
	assert_int_equal(rig_given_count, 0);
	rig_agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MX, NULL);
	rig_run();
	for (unsigned int i = 0; i < rig_given_count; i++) {
		if (strcmp(rig_given[i].destination->name, "mx:a.example") == 0)
			a++;
		else
			b++;
		assert_true(a <= b + 1 && b <= a + 1);
	}
	assert_int_equal(a, SCHEDULER_WINDOW_FIRST);
	assert_int_equal(b, SCHEDULER_WINDOW_FIRST);
}

/* However many slow destinations there are, a fresh one is tried at once. */
static void
test_slow_hosts_do_not_take_all_agents(void **state)
{
	char address[64];

	(void)state;
	for (int host = 0; host < 150; host++) {
		snprintf(address, sizeof(address), "u@slow%d.example", host);
		rig_submit_many(address, 10);
	}
	for (int i = 0; i < 5; i++)
		rig_run();
	assert_true(scheduler_in_flight(ROUTE_MX) >= 2 * 150);
	assert_true(scheduler_in_flight(ROUTE_MX) <= SCHEDULER_REMOTE + 150);
	for (int host = 0; host < 150; host++) {
		snprintf(address, sizeof(address), "mx:slow%d.example", host);
		assert_true(rig_open(address) >= 1);
		assert_true(rig_open(address) <= 5);
	}
	rig_submit_one("u@fresh.example");
	rig_run();
	assert_int_equal(rig_open("mx:fresh.example"), 1);
}

static void
test_more_destinations_than_fit_in_memory(void **state)
{
	enum { HOSTS = SCHEDULER_ACTIVE + SCHEDULER_FRESH + 1000 };
	unsigned int rounds = 0, done = 0;
	char address[64];

	(void)state;
	for (int host = 0; host < HOSTS; host++) {
		snprintf(address, sizeof(address), "u@h%d.example", host);
		rig_submit_one(address);
		if (host % 1000 == 999)
			commit_run();
	}
	commit_run();
	assert_int_equal(house_count(&rig_house, STORE_DESTINATION), HOSTS);
	while (done < HOSTS) {
		assert_true(scheduler_active() <=
			    SCHEDULER_ACTIVE + SCHEDULER_FRESH + 2);
		assert_true(rig_house.destinations.count <=
			    SCHEDULER_ACTIVE + SCHEDULER_FRESH + 2 + 1024);
		assert_true(++rounds < 1000);
		scheduler_dispatch();
		for (; done < rig_given_count; done++)
			rig_report(&rig_given[done], REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT);
		commit_run();
	}
	assert_int_equal(rig_given_count, HOSTS);
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
	rig_run_all();
	assert_true(rig_house.destinations.count <= 1024);
}

/* One message for each of so many hosts; all are considered. */
static void
submit_to_hosts(const char *name, unsigned int hosts)
{
	char address[64];

	for (unsigned int host = 0; host < hosts; host++) {
		snprintf(
		    address, sizeof(address), "u@%s%u.example", name, host);
		rig_submit_one(address);
		if (host % 1000 == 999)
			rig_run();
	}
	for (int turn = 0; turn < 30; turn++)
		rig_run();
}

static void
test_local_mail_does_not_wait_for_remote_hosts(void **state)
{
	(void)state;
	submit_to_hosts("hangs", SCHEDULER_ACTIVE + 500);
	rig_submit_one("alice@local.test");
	rig_run();
	assert_int_equal(rig_open("local:alice"), 1);
}

static void
test_a_sound_host_does_not_wait_for_new_ones(void **state)
{
	(void)state;
	rig_submit_one("u@sound.example");
	rig_run();
	rig_report(&rig_given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	/* It is remembered, however many users and hosts come after it. */
	for (unsigned int i = 0; i < SCHEDULER_IDLE_MOST + 100; i++) {
		char address[64];

		snprintf(address, sizeof(address), "user%u@local.test", i);
		rig_submit_one(address);
		rig_run();
		rig_report(&rig_given[rig_given_count - 1], REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	submit_to_hosts("hangs", SCHEDULER_ACTIVE + 2500);
	rig_submit_many("u@sound.example", 10);
	rig_run();
	/* Nor is it confined to one at a time. */
	assert_true(rig_open("mx:sound.example") >= 5);
}

/* Nor if its mail was deferred, and its time comes now. */
static void
test_a_sound_host_s_deferred_mail_comes_in_time(void **state)
{
	(void)state;
	rig_submit_many("u@sound.example", 2);
	rig_run();
	rig_report(&rig_given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_report(&rig_given[1], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	submit_to_hosts("hangs", SCHEDULER_ACTIVE + 500);
	house_now += 400 * 1000;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open("mx:sound.example"), 1);
}

static void
test_a_new_host_does_not_wait_for_failed_ones(void **state)
{
	enum { HOSTS = SCHEDULER_ACTIVE + 500 };
	unsigned int failed = 0;

	(void)state;
	submit_to_hosts("fails", HOSTS);
	while (failed < HOSTS) {
		unsigned int before = failed;

		for (unsigned int i = failed; i < rig_given_count;
		     i++, failed++)
			rig_report(&rig_given[i], REPORT_DEFERRED,
			    REPORT_SCOPE_DESTINATION);
		rig_run();
		assert_true(failed > before);
	}
	/* All are tried again, and hang. */
	house_now += 400 * 1000;
	scheduler_wake();
	for (int turn = 0; turn < 30; turn++)
		rig_run();
	assert_true(scheduler_in_flight(ROUTE_MX) >= 100);
	rig_submit_one("u@new.example");
	rig_run();
	assert_int_equal(rig_open("mx:new.example"), 1);
	/* And they do not starve either. */
	for (unsigned int i = HOSTS; i < rig_given_count; i++)
		if (rig_given[i].open)
			rig_report(&rig_given[i], REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT);
	for (int turn = 0; turn < 60; turn++) {
		rig_run();
		for (unsigned int i = HOSTS; i < rig_given_count; i++)
			if (rig_given[i].open)
				rig_report(&rig_given[i], REPORT_DELIVERED,
				    REPORT_SCOPE_RECIPIENT);
	}
	rig_run();
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 0);
}

/* Users too: who failed waits in a line of his own. */
static void
test_a_user_does_not_wait_for_failed_ones(void **state)
{
	(void)state;
	rig_submit_one("failed@local.test");
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
	rig_agent = AGENT_FULL;
	house_now += 400 * 1000;
	scheduler_wake();
	rig_run();
	rig_submit_one("alice@local.test");
	rig_run();
	rig_agent = AGENT_READY;
	scheduler_slot_free(ROUTE_MAILBOX);
	rig_run();
	assert_int_equal(rig_open("local:alice"), 1);
	assert_int_equal(rig_open("local:failed"), 1);
}

/* -- Fresh mail among old ------------------------------------------------- */

/* So many hosts have deferred a message each; its time comes now. */
static void
make_old(unsigned int hosts)
{
	unsigned int done = 0;

	submit_to_hosts("old", hosts);
	while (done < hosts) {
		for (; done < rig_given_count; done++)
			rig_report(&rig_given[done], REPORT_DEFERRED,
			    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	house_now += 400 * 1000;
	scheduler_wake();
}

/* However many hosts there is old mail for: in memory and at the agents there
 * are places for the fresh. */
static void
test_fresh_mail_does_not_wait_for_a_crowd_of_old(void **state)
{
	char address[64];

	(void)state;
	make_old(SCHEDULER_ACTIVE + 2000);
	for (int turn = 0; turn < 30; turn++)
		rig_run();
	assert_true(rig_open(NULL) >= SCHEDULER_REMOTE);
	for (int host = 0; host < 50; host++) {
		snprintf(address, sizeof(address), "u@new%d.example", host);
		rig_submit_one(address);
		rig_run();
		snprintf(address, sizeof(address), "mx:new%d.example", host);
		assert_int_equal(rig_open(address), 1);
	}
	/* Also where old mail waits for a place. */
	rig_submit_one("u@old4000.example");
	rig_run();
	assert_true(rig_open("mx:old4000.example") >= 1);
}

/* One delivery at a time would not keep up with it. */
static void
test_a_busy_host_s_fresh_mail_among_a_crowd_of_old(void **state)
{
	unsigned int left, open;

	(void)state;
	make_old(SCHEDULER_ACTIVE + 2000);
	for (int turn = 0; turn < 30; turn++)
		rig_run();
	rig_submit_one("u@busy.example");
	rig_run();
	rig_report(rig_first_open("mx:busy.example"), REPORT_DELIVERED,
	    REPORT_SCOPE_RECIPIENT);
	rig_run();
	/* All that old mail may have is taken; so many are left. */
	left = 2 * SCHEDULER_REMOTE - rig_open(NULL);
	assert_int_equal(left, 2 * SCHEDULER_REMOTE / 8);
	for (unsigned int i = 0; i < 30; i++) {
		rig_submit_one("u@busy.example");
		rig_run();
		rig_report(rig_first_open("mx:busy.example"), REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	rig_submit_many("u@busy.example", 100);
	rig_run();
	open = rig_open("mx:busy.example");
	assert_true(open > 10);
	assert_true(open < SCHEDULER_WINDOW_MOST);
	/* And others have some of what is left. */
	rig_submit_one("u@other.example");
	rig_run();
	assert_int_equal(rig_open("mx:other.example"), 1);
}

/* Fresh mail goes first, but however much there is, some of the old goes. */
static void
test_old_mail_has_turns_among_fresh(void **state)
{
	unsigned int first, old = 0;

	(void)state;
	rig_agent = AGENT_COMING;
	submit_to_hosts("old", 100);
	rig_agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MX, NULL);
	rig_run();
	for (unsigned int i = 0; i < 100; i++)
		rig_report(
		    &rig_given[i], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	first = rig_given_count;
	rig_agent = AGENT_COMING;
	house_now += 400 * 1000;
	scheduler_wake();
	submit_to_hosts("fresh", 100);
	rig_agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MX, NULL);
	rig_run();
	assert_true(rig_given_count >= first + 80);
	for (unsigned int i = first; i < first + 80; i++)
		old +=
		    strncmp(rig_given[i].destination->name, "mx:old", 6) == 0;
	assert_true(old >= 15);
	assert_true(old <= 25);
}

/* -- One turn ------------------------------------------------------------- */

/* The store may have to be read from a slow disk: between the turns the links
 * are served. */
static void
test_a_turn_ends_also_if_each_delivery_takes_long(void **state)
{
	(void)state;
	rig_agent = AGENT_COMING;
	submit_to_hosts("host", 300);
	rig_agent = AGENT_READY;
	rig_agent_takes = 2000;
	scheduler_agent_ready(ROUTE_MX, NULL);
	scheduler_dispatch();
	assert_true(rig_given_count >= 1);
	assert_true(rig_given_count <= 50);
	rig_agent_takes = 0;
	rig_run();
	assert_int_equal(rig_given_count, 300);
}

/* So many are due when the queue starts: not all are read at once, but all. */
static void
test_a_look_takes_up_some_of_many(void **state)
{
	enum { HOSTS = 3000 };

	(void)state;
	rig_agent = AGENT_COMING;
	submit_to_hosts("host", HOSTS);
	scheduler_stop();
	house_crash(&rig_house);
	rig_start();
	scheduler_wake();
	assert_true(scheduler_active() > 0);
	assert_true(scheduler_active() <= 1000);
	for (int turn = 0; turn < 20; turn++)
		rig_run();
	assert_int_equal(scheduler_active(), HOSTS);
}

/* -- Large contents ------------------------------------------------------- */

/* Others have so much in flight. */
static void
others_take(
    struct destination *others, enum share_standing standing, uint64_t octets)
{
	*others = (struct destination){ .kind = ROUTE_MX };
	others->row.failures = standing == SHARE_DOUBTFUL;
	others->lane.answered = standing == SHARE_SOUND;
	share_take(others, octets);
}

static void
test_large_contents_wait_for_memory(void **state)
{
	struct destination others;

	(void)state;
	others_take(&others, SHARE_UNTRIED, SCHEDULER_OCTETS - MIB);
	rig_submit_large("u@a.example", 2 * MIB);
	rig_submit_one("u@b.example");
	rig_submit_large("alice@local.test", 2 * MIB);
	rig_run();
	assert_int_equal(rig_open("mx:a.example"), 0);
	assert_int_equal(rig_open("mx:b.example"), 1);
	assert_int_equal(rig_open("local:alice"), 1);
	share_give_back(&others, SCHEDULER_OCTETS - MIB);
	rig_wait_ms(1200);
	rig_run();
	assert_int_equal(rig_open("mx:a.example"), 1);
}

/* The greatest of all goes when it is alone. */
static void
test_one_large_content_always_goes(void **state)
{
	struct destination others;

	(void)state;
	others_take(&others, SHARE_UNTRIED, 2 * SCHEDULER_OCTETS);
	share_give_back(&others, 2 * SCHEDULER_OCTETS);
	assert_true(share_has_room_for(&others, 2 * SCHEDULER_OCTETS));
	share_take(&others, 1000);
	assert_true(share_has_room_for(&others, 2 * SCHEDULER_OCTETS));
	share_give_back(&others, 1000);
}

/* Nobody's large mail fills it all. */
static void
test_a_large_queue_leaves_memory(void **state)
{
	struct destination one = { .kind = ROUTE_MAILBOX },
			   other = { .kind = ROUTE_MAILBOX };
	unsigned int count = 0;

	(void)state;
	while (share_has_room_for(&one, 50 * MIB)) {
		share_take(&one, 50 * MIB);
		count++;
	}
	assert_int_equal(count, SCHEDULER_OCTETS / 2 / (50 * MIB));
	assert_true(share_has_room_for(&other, 500 * MIB));
	while (count-- > 0)
		share_give_back(&one, 50 * MIB);
}

/* What hosts that hang have of the memory leaves enough for the sound. */
static void
test_a_sound_host_s_large_mail_goes(void **state)
{
	struct destination doubtful, untried, sound = { .kind = ROUTE_MX };

	(void)state;
	others_take(&doubtful, SHARE_DOUBTFUL, SCHEDULER_OCTETS / 4);
	assert_false(share_has_room_for(&doubtful, MIB));
	others_take(&untried, SHARE_UNTRIED, SCHEDULER_OCTETS / 2);
	assert_false(share_has_room_for(&untried, MIB));
	sound.lane.answered = true;
	assert_true(share_has_room_for(&sound, SCHEDULER_OCTETS / 4));
	assert_false(share_has_room_for(&sound, SCHEDULER_OCTETS / 4 + 1));
	/* What it holds counts where it stands now. */
	doubtful.row.failures = 0;
	doubtful.lane.answered = true;
	assert_false(share_has_room_for(&doubtful, SCHEDULER_OCTETS / 2));
	share_give_back(&doubtful, SCHEDULER_OCTETS / 4);
	share_give_back(&untried, SCHEDULER_OCTETS / 2);
}

/* A crowd of hosts that wait for a place, and have waited for longer, is not in
 * the way of what has one. */
static void
test_a_user_s_deferred_mail_comes_behind_a_crowd_of_hosts(void **state)
{
	static char addresses[7600][32];
	static const char *many[7601];
	struct destination *alice;

	(void)state;
	rig_submit_one("alice@local.test");
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	rig_agent = AGENT_FULL;
	for (unsigned int half = 0; half < 2; half++) {
		for (unsigned int i = 0; i < COUNT(addresses); i++) {
			snprintf(addresses[i], sizeof(addresses[i]),
			    "u@h%u.%u.example", i, half);
			many[i] = addresses[i];
		}
		rig_submit(many);
		rig_run();
	}
	assert_null(destination_find(&rig_house.destinations, "local:alice"));
	house_now += 301 * 1000;
	scheduler_wake();
	rig_run();
	alice = destination_find(&rig_house.destinations, "local:alice");
	assert_non_null(alice);
	assert_int_equal(alice->lane.list, LANE_FULL_LOCAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_a_newcomer_does_not_wait_for_a_long_queue),
		RIG_TEST(test_destinations_take_turns),
		RIG_TEST(test_slow_hosts_do_not_take_all_agents),
		RIG_TEST(test_more_destinations_than_fit_in_memory),
		RIG_TEST(test_local_mail_does_not_wait_for_remote_hosts),
		RIG_TEST(test_a_sound_host_does_not_wait_for_new_ones),
		RIG_TEST(test_a_sound_host_s_deferred_mail_comes_in_time),
		RIG_TEST(test_a_new_host_does_not_wait_for_failed_ones),
		RIG_TEST(test_a_user_does_not_wait_for_failed_ones),
		RIG_TEST(test_large_contents_wait_for_memory),
		RIG_TEST(test_one_large_content_always_goes),
		RIG_TEST(test_a_large_queue_leaves_memory),
		RIG_TEST(test_a_sound_host_s_large_mail_goes),
		RIG_TEST(test_fresh_mail_does_not_wait_for_a_crowd_of_old),
		RIG_TEST(test_a_busy_host_s_fresh_mail_among_a_crowd_of_old),
		RIG_TEST(test_old_mail_has_turns_among_fresh),
		RIG_TEST(test_a_turn_ends_also_if_each_delivery_takes_long),
		RIG_TEST(test_a_look_takes_up_some_of_many),
		RIG_TEST(
		    test_a_user_s_deferred_mail_comes_behind_a_crowd_of_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
