/* What is told of destinations, by the real store and scheduler. */
#include "tests/unit/queue/rig.h"

#include <strings.h>

#include "queue/query.h"
#include "queue/query_destinations.h"

static struct {
	unsigned int count, most;
	struct query_destination last;
	struct row_destination row;
	char names[64][LIMIT_DESTINATION + 1];
	char reply[LIMIT_REPLY + 1];
} seen;

static bool
note(const struct query_destination *d, void *context)
{
	(void)context;
	if (seen.count == seen.most)
		return false;
	snprintf(
	    seen.names[seen.count++], sizeof(seen.names[0]), "%s", d->name);
	seen.last = *d;
	seen.row = *d->row;
	snprintf(seen.reply, sizeof(seen.reply), "%s", d->row->reply);
	return true;
}

static void
look(const char *wanted)
{
	char place[LIMIT_DESTINATION + 1] = "";

	memset(&seen, 0, sizeof(seen));
	seen.most = COUNT(seen.names);
	query_destinations_start(&rig_house.lifecycle);
	assert_int_equal(query_destinations(wanted, place, 100, note, NULL), 0);
}

static void
tells_of_what_is_under_way(void **state)
{
	(void)state;
	look("");
	assert_int_equal(seen.count, 0);
	rig_submit_many("a@x.example", 8);
	rig_submit_one("alice@local.test");
	rig_run();
	look("MX:X.example");
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.names[0], "mx:x.example");
	assert_int_equal(seen.row.waiting, 8);
	assert_int_equal(seen.last.deliveries, SCHEDULER_WINDOW_FIRST);
	assert_int_equal(seen.last.in_flight, SCHEDULER_WINDOW_FIRST);
	assert_int_equal(seen.last.window, SCHEDULER_WINDOW_FIRST);
	look("local:alice");
	assert_int_equal(seen.last.window, SCHEDULER_WINDOW_LOCAL);
	assert_int_equal(seen.last.deliveries, 1);
	look("mx:x");
	assert_int_equal(seen.count, 0);
}

static void
tells_of_one_that_is_down(void **state)
{
	(void)state;
	rig_submit_one("a@x.example");
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
	look("mx:x.example");
	assert_int_equal(seen.row.failures, 1);
	assert_true(seen.row.backoff_until > house_now / 1000);
	assert_int_equal(seen.row.wake, seen.row.backoff_until);
	assert_int_equal(seen.last.window, 1);
	assert_int_equal(seen.last.deliveries, 0);
	assert_string_equal(seen.reply, "what it said");
}

/* Memory holds the busy ones only: the others are told of too. */
static void
tells_of_those_that_only_the_store_knows(void **state)
{
	(void)state;
	rig_submit_one("a@x.example");
	rig_agent = AGENT_FULL;
	rig_run();
	rig_house.lifecycle.destinations = &(struct destinations){ 0 };
	destinations_begin(rig_house.lifecycle.destinations);
	look("");
	rig_house.lifecycle.destinations = &rig_house.destinations;
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.row.waiting, 1);
	assert_int_equal(seen.last.window, SCHEDULER_WINDOW_FIRST);
	assert_int_equal(seen.last.in_flight, 0);
}

static void
walks_in_steps(void **state)
{
	char place[LIMIT_DESTINATION + 1] = "", address[64];
	unsigned int steps = 0;
	int more;

	(void)state;
	rig_agent = AGENT_FULL;
	for (unsigned int i = 0; i < 40; i++) {
		snprintf(address, sizeof(address), "a@n%02u.example", i);
		rig_submit_one(address);
	}
	rig_run();
	query_destinations_start(&rig_house.lifecycle);
	memset(&seen, 0, sizeof(seen));
	/* Stopped by the step, and by whoever takes them. */
	while (seen.most++,
	    (more = query_destinations("", place, 3, note, NULL)) == 1)
		assert_true(++steps < 100);
	assert_int_equal(more, 0);
	assert_true(steps >= 40 / 3);
	assert_int_equal(seen.count, 40);
	for (unsigned int i = 0; i < 40; i++) {
		snprintf(address, sizeof(address), "mx:n%02u.example", i);
		assert_string_equal(seen.names[i], address);
	}
	rig_agent = AGENT_READY;
}

/* Among very many, the one that is asked for is not looked for. */
static void
finds_one_at_once(void **state)
{
	char place[LIMIT_DESTINATION + 1] = "", address[64];

	(void)state;
	rig_agent = AGENT_FULL;
	for (unsigned int i = 0; i < 40; i++) {
		snprintf(address, sizeof(address), "a@n%02u.example", i);
		rig_submit_one(address);
	}
	rig_run();
	query_destinations_start(&rig_house.lifecycle);
	memset(&seen, 0, sizeof(seen));
	seen.most = COUNT(seen.names);
	assert_int_equal(
	    query_destinations("mx:N39.Example", place, 1, note, NULL), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.names[0], "mx:n39.example");
	place[0] = '\0';
	assert_int_equal(
	    query_destinations("mx:n05.examples", place, 1, note, NULL), 0);
	assert_int_equal(seen.count, 1);
	rig_agent = AGENT_READY;
}

/* A row that cannot be read hides no other. */
static void
passes_over_damage(void **state)
{
	struct row_key key = row_key_text("mx:a.example");

	(void)state;
	rig_agent = AGENT_FULL;
	rig_submit_one("a@x.example");
	rig_run();
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_put(rig_house.store, STORE_DESTINATION, &key, "damage", 6),
	    0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
	look("");
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.names[0], "mx:x.example");
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_delete(rig_house.store, STORE_DESTINATION, &key), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(tells_of_what_is_under_way),
		RIG_TEST(tells_of_one_that_is_down),
		RIG_TEST(tells_of_those_that_only_the_store_knows),
		RIG_TEST(walks_in_steps),
		RIG_TEST(finds_one_at_once),
		RIG_TEST(passes_over_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
