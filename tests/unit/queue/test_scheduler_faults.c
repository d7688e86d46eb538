#include "tests/unit/queue/rig.h"

#include "queue/commit.h"
#include "queue/content_cache.h"
#include "queue/stats.h"

#include <sys/resource.h>

/* Agents that die, rows that are damaged, memory that is not there. */

static void
test_what_a_dead_agent_had_is_given_out_again(void **state)
{
	(void)state;
	rig_submit_many("alice@local.test", 3);
	rig_run();
	assert_int_equal(rig_given_count, 3);
	rig_report(&rig_given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_lose(&rig_given[1]);
	rig_lose(&rig_given[2]);
	rig_run();
	assert_int_equal(rig_given_count, 3); /* not at once */
	rig_wait_ms(1200);
	rig_run();
	assert_int_equal(rig_given_count, 5);
	rig_report(&rig_given[3], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_report(&rig_given[4], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
	assert_int_equal(stats.deferred, 0);
}

static void
test_a_message_that_kills_agents_waits(void **state)
{
	struct row_recipient row;
	uint64_t poison = rig_submit_one("alice@local.test");

	(void)state;
	rig_run();
	for (unsigned int death = 0; death < 3; death++) {
		assert_int_equal(rig_given_count, death + 1);
		rig_lose(&rig_given[death]);
		rig_wait_ms(1200);
		rig_run();
	}
	assert_int_equal(rig_given_count, 3);
	assert_true(house_recipient(&rig_house, poison, 0, &row));
	assert_int_equal(row.attempts, 1);
	assert_true(row.due > house_now / 1000);
	/* Others of the same user are not held up. */
	rig_submit_one("alice@local.test");
	rig_run();
	assert_int_equal(rig_given_count, 4);
	assert_int_not_equal(rig_given[3].id, poison);
}

static void
test_a_user_that_is_no_more(void **state)
{
	(void)state;
	rig_submit_many("alice@local.test", 3);
	rig_agent = AGENT_REFUSED;
	rig_refusal = (struct lifecycle_report){
		.outcome = REPORT_FAILED,
		.scope = REPORT_SCOPE_RECIPIENT,
		.host = "",
		.reply = "5.1.1 no such user",
	};
	rig_run_all();
	commit_run();
	assert_int_equal(rig_given_count, 0);
	assert_int_equal(rig_house.lifecycle.totals.failed, 3);
	assert_int_equal(rig_house.lifecycle.totals.waiting, 0);
}

static void
test_no_worker_now(void **state)
{
	struct row_destination d;

	(void)state;
	rig_submit_many("alice@local.test", 3);
	rig_agent = AGENT_REFUSED;
	rig_refusal = (struct lifecycle_report){
		.outcome = REPORT_DEFERRED,
		.scope = REPORT_SCOPE_DESTINATION,
		.host = "",
		.reply = "4.3.0 no worker",
	};
	rig_run_all();
	commit_run();
	rig_run();
	assert_int_equal(rig_given_count, 0);
	assert_true(house_destination(&rig_house, "local:alice", &d));
	assert_int_equal(d.waiting, 3);
	assert_int_equal(d.failures, 1);
	/* One report spoke for all. */
	assert_int_equal(stats.deferred, 1);
	rig_agent = AGENT_READY;
	house_now = d.backoff_until * 1000;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_given_count, 1);
}

static void
test_after_a_crash_everything_is_due(void **state)
{
	unsigned int before;

	(void)state;
	rig_submit_many("u@example.com", 10);
	rig_submit_one("alice@local.test");
	rig_run();
	before = rig_given_count;
	assert_int_equal(before, SCHEDULER_WINDOW_FIRST + 1);
	rig_report(&rig_given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	commit_run();
	/* The process dies with the others in flight. */
	for (unsigned int i = 1; i < before; i++) {
		rig_given[i].open = false;
		for (unsigned int n = 0; n < rig_given[i].count; n++)
			flight_free(&rig_given[i].flights[n]);
	}
	scheduler_stop();
	content_cache_clear();
	house_crash(&rig_house);
	house_is_sound(&rig_house);
	rig_start();
	rig_run();
	assert_int_equal(rig_given_count, before); /* nobody looked yet */
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open("mx:example.com"), SCHEDULER_WINDOW_FIRST);
	assert_int_equal(rig_open("local:alice"), 1);
}

/* The content of a message is damaged while it waits. */
static void
damage_content(const void *octets, size_t length)
{
	struct row_recipient row;
	uint64_t id = rig_submit_one("u@example.com");
	struct row_key key = row_key_number(id, 0);

	rig_agent = AGENT_COMING;
	rig_run();
	content_cache_clear();
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_put(rig_house.store, STORE_CONTENT, &key, octets, length), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
	rig_agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MX, NULL);
	rig_run();
	rig_run();
	assert_int_equal(rig_given_count, 0);
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_HELD);
	assert_true(strstr(row.reply, "damaged") != NULL);
	/* Its neighbours are delivered. */
	rig_submit_one("u@example.com");
	rig_run();
	assert_int_equal(rig_given_count, 1);
	assert_true(house_act(&rig_house, CTL_VERB_REMOVE, id, 0));
}

static void
test_truncated_content_is_never_served(void **state)
{
	(void)state;
	damage_content("only the beginning", 18);
}

/* As long as it was, but for one bit as it was. */
static void
test_altered_content_is_never_served(void **state)
{
	uint8_t octets[300];

	(void)state;
	for (size_t at = 0; at < sizeof(octets); at++)
		octets[at] = (uint8_t)(at * 7 + at / 256);
	octets[123] ^= 1;
	damage_content(octets, sizeof(octets));
}

static void
test_a_damaged_recipient_stops_nobody(void **state)
{
	uint64_t id = rig_submit_one("u@example.com");
	struct row_key key = row_key_number(id, 0);

	(void)state;
	rig_submit_one("v@example.com");
	rig_agent = AGENT_COMING;
	rig_run();
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_put(rig_house.store, STORE_RECIPIENT, &key, "rot", 3), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
	rig_agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MX, NULL);
	rig_run();
	rig_run();
	assert_int_equal(rig_given_count, 1);
	assert_int_not_equal(rig_given[0].id, id);
	assert_int_equal(house_count(&rig_house, STORE_DUE), 1);
	/* For the proof at the end, the row is taken out. */
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_delete(rig_house.store, STORE_RECIPIENT, &key), 0);
	key = row_key_id(id);
	assert_int_equal(store_delete(rig_house.store, STORE_MESSAGE, &key), 0);
	key = row_key_number(id, 0);
	assert_int_equal(store_delete(rig_house.store, STORE_CONTENT, &key), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
	rig_house.lifecycle.totals.messages--;
	rig_house.lifecycle.totals.bytes -= 300;
	rig_report(&rig_given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	commit_run();
	/* It counted as waiting there, until it was set aside. */
	assert_int_equal(house_count(&rig_house, STORE_DESTINATION), 0);
}

#ifndef __SANITIZE_ADDRESS__
/* Octets of address space. */
static rlim_t
memory_in_use(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	char line[256] = "";

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	return (rlim_t)strtoul(line, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}
#endif

#ifndef __SANITIZE_ADDRESS__
/* There is no memory to note a rig_refusal: that is tried again. */
static void
test_a_refusal_that_cannot_be_noted(void **state)
{
	static char reply[64 * 1024 * 1024];
	struct rlimit old, tight;

	(void)state;
	memset(reply, 'x', sizeof(reply) - 1);
	rig_submit_one("alice@local.test");
	commit_run();
	rig_agent = AGENT_REFUSED;
	rig_refusal = (struct lifecycle_report){
		.outcome = REPORT_DEFERRED,
		.scope = REPORT_SCOPE_DESTINATION,
		.host = "",
		.reply = reply,
	};
	assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
	tight = old;
	tight.rlim_cur = memory_in_use() + sizeof(reply) / 2;
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	scheduler_dispatch();
	assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
	assert_true(commit_is_empty());
	rig_agent = AGENT_READY;
	rig_wait_ms(1300);
	rig_run();
	assert_int_equal(rig_open("local:alice"), 1);
}
#endif

static bool store_fails;

int __real_store_read_begin(struct store *);
int __wrap_store_read_begin(struct store *);

int
__wrap_store_read_begin(struct store *store)
{
	if (!store_fails)
		return __real_store_read_begin(store);
	errno = ENOMEM;
	return -1;
}

/* It is tried again, also if nothing else happens. */
static void
test_a_store_that_cannot_be_read_now(void **state)
{
	struct destination *d;

	(void)state;
	rig_submit_one("a@one.example");
	commit_run();
	d = destination_find(&rig_house.destinations, "mx:one.example");
	assert_non_null(d);
	store_fails = true;
	scheduler_dispatch();
	store_fails = false;
	assert_int_equal(rig_given_count, 0);
	assert_int_equal(d->lane.list, LANE_LATER);
	rig_wait_ms(1200);
	assert_int_equal(d->lane.list, LANE_READY_FRESH);
	rig_run();
	assert_int_equal(rig_given_count, 1);
}

static bool memory_lacks;

struct destination *__real_destination_open(
    struct destinations *, struct store *, const char *);
struct destination *__wrap_destination_open(
    struct destinations *, struct store *, const char *);

struct destination *
__wrap_destination_open(
    struct destinations *all, struct store *store, const char *name)
{
	if (!memory_lacks)
		return __real_destination_open(all, store, name);
	errno = ENOMEM;
	return NULL;
}

/* Nothing else will happen, and it is looked at again. */
static void
test_no_memory_for_a_destination(void **state)
{
	(void)state;
	rig_agent = AGENT_FULL;
	rig_submit_one("a@one.example");
	rig_run();
	scheduler_stop();
	house_crash(&rig_house);
	rig_start();
	rig_agent = AGENT_READY;
	memory_lacks = true;
	scheduler_wake();
	memory_lacks = false;
	assert_null(
	    destination_find(&rig_house.destinations, "mx:one.example"));
	rig_wait_ms(1200);
	rig_run();
	assert_int_equal(rig_open("mx:one.example"), 1);
}

/* A recipient that somebody put there without a time is due, as all that is
 * due. */
static void
test_mail_without_a_time(void **state)
{
	struct lifecycle *l = &rig_house.lifecycle;
	const struct row_totals before = l->totals;
	const struct row_message message = { .arrival = house_now,
		.sender = "",
		.client_address = "",
		.helo = "",
		.user = "",
		.envid = "",
		.recipients = 1,
		.open = 1 };
	const struct row_recipient row = { .address = "a@one.example",
		.original = "a@one.example",
		.kind = ROUTE_MX,
		.destination = "mx:one.example" };
	uint64_t id = house_id();

	(void)state;
	assert_int_equal(store_write_begin(l->store), 0);
	assert_int_equal(lifecycle_restore_message(l, id, &message), 0);
	assert_int_equal(lifecycle_restore_recipient(l, id, 0, &row), 0);
	assert_int_equal(
	    destinations_flush(l->destinations, l->store, house_now / 1000), 0);
	assert_int_equal(lifecycle_write_totals(l, &before), 0);
	assert_int_equal(store_write_commit(l->store), 0);
	scheduler_stop();
	house_crash(&rig_house);
	rig_start();
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open("mx:one.example"), 1);
}

/* Nobody has been answered since. */
static void
restart_with_damage(const char *destination)
{
	struct row_key key = row_key_text(destination);

	scheduler_stop();
	house_crash(&rig_house);
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_put(rig_house.store, STORE_DESTINATION, &key, "damage", 6),
	    0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
	rig_start();
	rig_agent = AGENT_READY;
	rig_answers_250 = 0;
}

/* One damaged row of a destination is in nobody's way. */
static void
test_a_damaged_destination(void **state)
{
	uint64_t held;

	(void)state;
	rig_agent = AGENT_COMING;
	rig_submit_many("u@a.example", 2);
	held = rig_submit_one("u@a.example");
	rig_submit_many("u@b.example", 2);
	rig_run();
	assert_int_equal(commit_verb(CTL_VERB_HOLD, held, 0, 0, NULL, NULL), 0);
	rig_run();
	restart_with_damage("mx:a.example");
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open("mx:a.example"), 2);
	assert_int_equal(rig_open("mx:b.example"), 2);
	rig_submit_one("u@a.example");
	rig_submit_one("u@c.example");
	rig_run();
	assert_int_equal(rig_answers_250, 2);
	assert_int_equal(rig_open("mx:a.example"), 3);
	assert_int_equal(rig_open("mx:c.example"), 1);
	house_is_sound(&rig_house);
}

/* The same, but it is new mail that comes upon it. */
static void
test_new_mail_for_a_damaged_destination(void **state)
{
	(void)state;
	rig_agent = AGENT_COMING;
	rig_submit_many("u@a.example", 2);
	rig_run();
	restart_with_damage("mx:a.example");
	rig_submit_one("u@a.example");
	rig_submit_one("u@b.example");
	rig_run();
	assert_int_equal(rig_answers_250, 2);
	assert_int_equal(rig_open("mx:a.example"), 3);
	assert_int_equal(rig_open("mx:b.example"), 1);
	house_is_sound(&rig_house);
}

/* Nor is a damaged key of the schedule, before all of a destination's places or
 * just behind them. */
static void
test_a_damaged_place_in_the_due_index(void **state)
{
	static const struct row_place first = { 1, 0, 0 };
	struct row_key keys[] = {
		row_key_due("mx:a.example", &first),
		row_key_text("mx:a.example\001"),
	};

	(void)state;
	keys[0].length -= 12; /* the id and the number are lost */
	rig_agent = AGENT_COMING;
	rig_submit_many("u@a.example", 2);
	rig_submit_many("u@b.example", 2);
	rig_run();
	scheduler_stop();
	house_crash(&rig_house);
	assert_int_equal(store_write_begin(rig_house.store), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(
		    store_put(rig_house.store, STORE_DUE, &keys[i], "", 0), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
	rig_start();
	rig_agent = AGENT_READY;
	rig_answers_250 = 0;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open("mx:a.example"), 2);
	assert_int_equal(rig_open("mx:b.example"), 2);
	rig_submit_one("u@a.example");
	rig_submit_one("u@b.example");
	rig_run();
	assert_int_equal(rig_answers_250, 2);
	assert_int_equal(rig_open("mx:a.example"), 3);
	assert_int_equal(rig_open("mx:b.example"), 3);
	assert_int_equal(store_write_begin(rig_house.store), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(
		    store_delete(rig_house.store, STORE_DUE, &keys[i]), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
	house_is_sound(&rig_house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_what_a_dead_agent_had_is_given_out_again),
		RIG_TEST(test_a_message_that_kills_agents_waits),
		RIG_TEST(test_a_user_that_is_no_more),
		RIG_TEST(test_no_worker_now),
		RIG_TEST(test_after_a_crash_everything_is_due),
		RIG_TEST(test_truncated_content_is_never_served),
		RIG_TEST(test_altered_content_is_never_served),
		RIG_TEST(test_a_damaged_recipient_stops_nobody),
#ifndef __SANITIZE_ADDRESS__
		RIG_TEST(test_a_refusal_that_cannot_be_noted),
#endif
		RIG_TEST(test_a_store_that_cannot_be_read_now),
		RIG_TEST(test_no_memory_for_a_destination),
		RIG_TEST(test_mail_without_a_time),
		RIG_TEST(test_a_damaged_destination),
		RIG_TEST(test_new_mail_for_a_damaged_destination),
		RIG_TEST(test_a_damaged_place_in_the_due_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
