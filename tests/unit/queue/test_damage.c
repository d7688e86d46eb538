/* Rows that are damaged or lost while the queue works: what can still be
 * delivered is, what cannot be is set aside, and nothing stops. */
#include "queue/commit.h"
#include "queue/stats.h"
#include "queue/store_check.h"
#include "tests/unit/queue/rig.h"

static const char *const two[] = { "a@one.example", "b@two.example", NULL };

static void
put(enum store_table table, const struct row_key *key, const void *value,
    size_t length)
{
	struct store *s = rig_house.store;

	assert_int_equal(store_write_begin(s), 0);
	assert_int_equal(store_put(s, table, key, value, length), 0);
	assert_int_equal(store_write_commit(s), 0);
}

static void
take_out(enum store_table table, const struct row_key *key)
{
	struct store *s = rig_house.store;

	assert_int_equal(store_write_begin(s), 0);
	assert_int_equal(store_delete(s, table, key), 0);
	assert_int_equal(store_write_commit(s), 0);
}

static void
restart(void)
{
	scheduler_stop();
	house_crash(&rig_house);
	rig_start();
	scheduler_wake();
}

static void
deliver_all(void)
{
	struct rig_given *g;
	unsigned int i;

	rig_run_all();
	for (i = 0; i < rig_given_count; i++) {
		g = &rig_given[i];
		if (g->open)
			rig_report(g, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
		rig_run_all();
	}
}

/* So that the proof at the end looks at the rest. */
static void
restart_with_totals_counted(void)
{
	struct row_key key = row_key_text("totals");

	put(STORE_META, &key, "rot", 3);
	restart();
	rig_submit_one("z@one.example");
	deliver_all();
}

static void
forget_all(uint64_t id)
{
	struct row_key message = row_key_id(id);
	struct row_key recipient = row_key_number(id, 1);
	struct row_key content = row_key_number(id, 0);

	take_out(STORE_RECIPIENT, &recipient);
	take_out(STORE_MESSAGE, &message);
	take_out(STORE_CONTENT, &content);
	restart_with_totals_counted();
}

/* The totals are counted again: a queue that would not start loses nothing,
 * and delivers nothing either. */
static void
totals_are_counted_again(bool lost)
{
	struct row_key key = row_key_text("totals");
	struct row_totals before;

	rig_submit(two);
	rig_submit_one("c@one.example");
	commit_run();
	before = rig_house.lifecycle.totals;
	if (lost)
		take_out(STORE_META, &key);
	else
		put(STORE_META, &key, "rot", 3);
	restart();
	assert_memory_equal(
	    &rig_house.lifecycle.totals, &before, sizeof(before));
	deliver_all();
	assert_int_equal(rig_house.lifecycle.totals.messages, 0);
}

static void
test_damaged_totals(void **state)
{
	(void)state;
	totals_are_counted_again(false);
}

static void
test_lost_totals(void **state)
{
	(void)state;
	totals_are_counted_again(true);
}

/* A row of the due index whose key makes no sense lies between those of a
 * destination. */
static void
test_a_damaged_key_of_the_due_index(void **state)
{
	struct row_key bad;
	uint64_t first;

	(void)state;
	rig_agent = AGENT_FULL;
	first = rig_submit_one("a@one.example");
	rig_submit_one("b@one.example");
	commit_run();
	/* Behind that of the first, with an octet more. */
	bad = row_key_due("mx:one.example",
	    &(struct row_place){ house_now / 1000, first, 5 });
	bad.octets[bad.length++] = 0;
	put(STORE_DUE, &bad, "", 0);
	/* And one before all others. */
	put(STORE_DUE, &(struct row_key){ .length = 1, .octets = "m" }, "", 0);
	rig_agent = AGENT_READY;
	restart();
	deliver_all();
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 0);
	assert_int_equal(stats.commits_failed, 0);
	take_out(STORE_DUE, &bad);
	take_out(STORE_DUE, &(struct row_key){ .length = 1, .octets = "m" });
}

/* A row with a number that is too long lies between two recipients: the first
 * is delivered, and the message stays for the others. */
static void
test_a_damaged_key_of_a_recipient(void **state)
{
	struct row_key bad, content;
	struct bytes value;
	uint64_t id;

	(void)state;
	rig_agent = AGENT_FULL;
	id = rig_submit(two);
	commit_run();
	bad = row_key_number(id, 0);
	bad.octets[bad.length++] = 0;
	put(STORE_RECIPIENT, &bad, "rot", 3);
	content = row_key_number(id, 0);
	rig_agent = AGENT_READY;
	restart();
	deliver_all();
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
	assert_int_equal(store_read_begin(rig_house.store), 0);
	assert_int_equal(
	    store_get(rig_house.store, STORE_CONTENT, &content, &value), 0);
	store_read_end(rig_house.store);
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 1);
	take_out(STORE_RECIPIENT, &bad);
	bad = row_key_id(id);
	take_out(STORE_MESSAGE, &bad);
	take_out(STORE_CONTENT, &content);
	restart_with_totals_counted();
}

/* The bad key is the first behind those of a destination: each write of that
 * destination meets it. */
static void
test_a_damaged_key_behind_a_destination(void **state)
{
	struct row_key bad = { .length = 15, .octets = "mx:one.example" };

	(void)state;
	put(STORE_DUE, &bad, "", 0);
	rig_submit_one("a@one.example");
	commit_run();
	assert_int_equal(rig_answers_250, 1);
	deliver_all();
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 0);
	assert_int_equal(stats.commits_failed, 0);
	take_out(STORE_DUE, &bad);
}

static void
save_message(uint64_t id, uint32_t open)
{
	uint8_t value[ROW_VALUE_SIZE];
	struct row_message row;
	struct row_key key = row_key_id(id);
	struct bytes found;

	assert_int_equal(store_read_begin(rig_house.store), 0);
	assert_int_equal(
	    store_get(rig_house.store, STORE_MESSAGE, &key, &found), 0);
	assert_int_equal(row_message_decode(&row, found.data, found.length), 0);
	row.open = open;
	found.length = row_message_encode(&row, value);
	store_read_end(rig_house.store);
	put(STORE_MESSAGE, &key, value, found.length);
}

/* The message says that it has one recipient left, and has two. */
static void
test_a_message_never_goes_before_its_recipients(void **state)
{
	uint64_t id = rig_submit(two);

	(void)state;
	commit_run();
	save_message(id, 1);
	rig_run_all();
	rig_report(rig_first_open("mx:one.example"), REPORT_DELIVERED,
	    REPORT_SCOPE_RECIPIENT);
	commit_run();
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
	assert_int_equal(house_count(&rig_house, STORE_CONTENT), 1);
	house_is_sound(&rig_house);
	deliver_all();
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
}

/* Its row cannot be read, or is not there: what is in flight is delivered, and
 * with the last recipient all of it goes. */
static void
go_without_row(const void *value, size_t length)
{
	uint64_t id = rig_submit(two);
	struct row_key key = row_key_id(id);

	rig_run_all();
	if (length == 0)
		take_out(STORE_MESSAGE, &key);
	else
		put(STORE_MESSAGE, &key, value, length);
	deliver_all();
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 0);
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
	assert_int_equal(house_count(&rig_house, STORE_CONTENT), 0);
	assert_int_equal(rig_house.lifecycle.totals.messages, 0);
	/* How much it was nobody knows any more. */
	assert_int_equal(rig_house.lifecycle.totals.bytes, 300);
	restart_with_totals_counted();
}

static void
test_a_message_with_a_damaged_row_goes_with_its_last(void **state)
{
	(void)state;
	go_without_row("rot", 3);
}

static void
test_a_message_without_row_goes_with_its_last(void **state)
{
	(void)state;
	go_without_row(NULL, 0);
}

/* A recipient's row is lost: the message goes with the others. */
static void
test_a_lost_recipient_keeps_no_message(void **state)
{
	uint64_t id = rig_submit(two);
	struct row_key key = row_key_number(id, 1);

	(void)state;
	commit_run();
	take_out(STORE_RECIPIENT, &key);
	restart();
	deliver_all();
	assert_int_equal(stats.set_aside, 1);
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
	assert_int_equal(house_count(&rig_house, STORE_CONTENT), 0);
	assert_int_equal(house_count(&rig_house, STORE_DESTINATION), 0);
	house_is_sound(&rig_house);
}

/* A row of an index is lost: nothing is tried until the administrator asks for
 * it, and then all is as it should be. */
static void
is_tried_when_asked(uint64_t id)
{
	restart();
	rig_run_all();
	assert_int_equal(rig_given_count, 0);
	assert_int_equal(commit_verb(CTL_VERB_RETRY, id, 0, 0, NULL, NULL), 0);
	commit_run();
	house_is_sound(&rig_house);
	deliver_all();
	assert_int_equal(rig_given_count, 1);
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 0);
}

static uint64_t
wait_for_an_hour(void)
{
	uint64_t id = rig_submit_one("a@one.example");

	rig_run_all();
	rig_report(rig_first_open("mx:one.example"), REPORT_DEFERRED,
	    REPORT_SCOPE_RECIPIENT);
	commit_run();
	rig_given_count = 0;
	house_now += 3600000;
	return id;
}

static void
test_a_lost_row_of_the_due_index(void **state)
{
	uint64_t id = wait_for_an_hour();
	struct row_recipient row;
	struct row_key key;

	(void)state;
	assert_true(house_recipient(&rig_house, id, 0, &row));
	key =
	    row_key_due(row.destination, &(struct row_place){ row.due, id, 0 });
	take_out(STORE_DUE, &key);
	is_tried_when_asked(id);
}

static void
test_a_lost_row_of_the_wake_index(void **state)
{
	uint64_t id = wait_for_an_hour();
	struct row_destination row;
	struct row_key key;

	(void)state;
	assert_true(house_destination(&rig_house, "mx:one.example", &row));
	key = row_key_wake(row.wake, "mx:one.example");
	take_out(STORE_WAKE, &key);
	is_tried_when_asked(id);
}

static unsigned int seen;

static void
on_fault(const struct store_fault *f, void *context)
{
	(void)context;
	seen++;
	assert_int_equal(f->table, STORE_RECIPIENT);
	assert_string_equal(f->what, "the row is damaged");
}

/* One that cannot be read is set aside, and then is all that is wrong. */
static void
test_a_damaged_recipient_is_all_that_is_wrong(void **state)
{
	uint64_t id = rig_submit(two);
	struct row_key key = row_key_number(id, 1);
	struct row_totals totals;

	(void)state;
	commit_run();
	put(STORE_RECIPIENT, &key, "rot", 3);
	restart();
	deliver_all();
	assert_int_equal(stats.set_aside, 1);
	seen = 0;
	assert_int_equal(house_faults(&rig_house, on_fault, NULL, &totals), 1);
	assert_int_equal(seen, 1);
	assert_memory_equal(
	    &totals, &rig_house.lifecycle.totals, sizeof(totals));
	/* Its message stays for it. */
	assert_int_equal(totals.messages, 1);
	assert_int_equal(house_count(&rig_house, STORE_CONTENT), 1);
	forget_all(id);
}

/* Much of it at once: each turn sets a little of it aside, and what is whole
 * behind it is delivered in the end. */
static void
test_much_damage_takes_many_turns(void **state)
{
	uint64_t ids[400], whole;

	(void)state;
	rig_agent = AGENT_FULL;
	for (unsigned int i = 0; i < COUNT(ids); i++)
		ids[i] = rig_submit_one("a@one.example");
	whole = rig_submit_one("a@one.example");
	commit_run();
	for (unsigned int i = 0; i < COUNT(ids); i++) {
		struct row_key key = row_key_id(ids[i]);

		take_out(STORE_MESSAGE, &key);
	}
	rig_agent = AGENT_READY;
	restart();
	scheduler_dispatch();
	assert_in_range(flight_count(), 1, 40);
	rig_run_all();
	assert_int_equal(rig_house.lifecycle.totals.held, COUNT(ids));
	assert_int_equal(rig_given_count, 1);
	assert_true(rig_given[0].id == whole);
	for (unsigned int i = 0; i < COUNT(ids); i++)
		assert_true(house_act(&rig_house, CTL_VERB_REMOVE, ids[i], 0));
	rig_report(&rig_given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	commit_run();
	restart_with_totals_counted();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_damaged_totals),
		RIG_TEST(test_lost_totals),
		RIG_TEST(test_a_damaged_key_of_the_due_index),
		RIG_TEST(test_a_damaged_key_of_a_recipient),
		RIG_TEST(test_a_damaged_key_behind_a_destination),
		RIG_TEST(test_a_message_never_goes_before_its_recipients),
		RIG_TEST(test_a_message_with_a_damaged_row_goes_with_its_last),
		RIG_TEST(test_a_message_without_row_goes_with_its_last),
		RIG_TEST(test_a_lost_recipient_keeps_no_message),
		RIG_TEST(test_a_lost_row_of_the_due_index),
		RIG_TEST(test_a_lost_row_of_the_wake_index),
		RIG_TEST(test_a_damaged_recipient_is_all_that_is_wrong),
		RIG_TEST(test_much_damage_takes_many_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
