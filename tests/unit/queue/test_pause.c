/* What is paused is not handed out, whatever else happens. */
#include "tests/unit/queue/rig.h"

#include "queue/commit.h"
#include "queue/pause.h"
#include "queue/query.h"
#include "queue/query_destinations.h"

static int told;

static void
on_done(int result, void *context)
{
	(void)context;
	told = result;
}

/* Was it changed? */
static bool
act(const char *destination, bool paused)
{
	told = -1;
	assert_int_equal(query_pause(destination, paused, on_done, NULL), 0);
	rig_run();
	assert_int_not_equal(told, -1);
	return told == 1;
}

static void
stops_one_destination(void **state)
{
	(void)state;
	assert_true(act("mx:x.example", true));
	assert_false(act("mx:x.example", true));
	rig_submit_one("a@x.example");
	rig_submit_one("b@y.example");
	rig_submit_one("alice@local.test");
	rig_run_all();
	assert_int_equal(rig_open("mx:x.example"), 0);
	assert_int_equal(rig_open("mx:y.example"), 1);
	assert_int_equal(rig_open("local:alice"), 1);
	/* Time and looks at the wake index do not change that. */
	house_now += 3600 * 1000;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open("mx:x.example"), 0);
	assert_true(act("mx:x.example", false));
	rig_run();
	assert_int_equal(rig_open("mx:x.example"), 1);
	assert_false(act("mx:x.example", false));
}

/* Deliveries that are under way end as they would; no other one begins. */
static void
lets_what_is_in_flight_end(void **state)
{
	(void)state;
	rig_submit_many("a@x.example", 8);
	rig_run();
	assert_int_equal(rig_open("mx:x.example"), SCHEDULER_WINDOW_FIRST);
	assert_true(act("mx:x.example", true));
	while (rig_open(NULL) > 0) {
		rig_report(rig_first_open("mx:x.example"), REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	assert_int_equal(rig_given_count, SCHEDULER_WINDOW_FIRST);
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT),
	    8 - SCHEDULER_WINDOW_FIRST);
	assert_true(act("mx:x.example", false));
	rig_run();
	assert_int_equal(rig_open(NULL), 8 - SCHEDULER_WINDOW_FIRST);
}

static void
stops_everything(void **state)
{
	(void)state;
	assert_true(act("mx:y.example", true));
	assert_true(act("", true));
	rig_submit_one("a@x.example");
	rig_submit_one("b@y.example");
	rig_submit_one("alice@local.test");
	rig_run();
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open(NULL), 0);
	assert_int_equal(rig_answers_250, 3);
	assert_int_equal(pause_kind("mx:y.example"), PAUSE_ALL);
	assert_true(act("", false));
	rig_run();
	assert_int_equal(rig_open(NULL), 2);
	assert_int_equal(pause_kind("mx:y.example"), PAUSE_DESTINATION);
	assert_int_equal(pause_kind("mx:x.example"), PAUSE_NONE);
}

/* More than fit into memory are all taken up again. */
static void
forgets_nobody(void **state)
{
	char address[64];

	(void)state;
	assert_true(act("", true));
	for (unsigned int i = 0; i < SCHEDULER_ACTIVE + 500; i++) {
		snprintf(address, sizeof(address), "a@n%u.example", i);
		rig_submit_one(address);
		if (i % 500 == 0)
			rig_run();
	}
	rig_run();
	assert_int_equal(rig_open(NULL), 0);
	assert_true(act("", false));
	for (unsigned int i = 0;
	     i < 100 && house_count(&rig_house, STORE_MESSAGE) > 0; i++) {
		for (unsigned int k = 0; k < rig_given_count; k++)
			if (rig_given[k].open)
				rig_report(&rig_given[k], REPORT_DELIVERED,
				    REPORT_SCOPE_RECIPIENT);
		rig_run();
	}
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
}

/* Mail does not become undeliverable because the administrator waits. */
static void
mail_does_not_grow_old(void **state)
{
	struct row_recipient row;
	uint64_t id = rig_submit_one("a@x.example");

	(void)state;
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run();
	assert_true(act("mx:x.example", true));
	house_now += UINT64_C(30) * 86400 * 1000;
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open(NULL), 0);
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_WAITING);
	assert_true(act("mx:x.example", false));
	rig_run();
	assert_int_equal(rig_open("mx:x.example"), 1);
}

static void
outlives_us(void **state)
{
	(void)state;
	assert_true(act("mx:x.example", true));
	assert_true(act("local:alice", true));
	assert_true(act("local:bob", true));
	assert_true(act("local:bob", false));
	rig_submit_one("a@x.example");
	rig_run();
	scheduler_stop();
	house_crash(&rig_house);
	pause_set("local:bob", true);
	pause_set("local:alice", false);
	rig_start();
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_open(NULL), 0);
	assert_int_equal(pause_count(), 2);
	assert_true(pause_is_set("local:alice"));
	assert_false(pause_is_set(""));
	assert_true(act("mx:x.example", false));
	rig_run();
	assert_int_equal(rig_open(NULL), 1);
}

/* It is not even taken into memory, however often the wake index is read. */
static void
takes_no_place(void **state)
{
	(void)state;
	assert_true(act("mx:x.example", true));
	rig_submit_one("a@x.example");
	rig_submit_one("b@y.example");
	rig_run();
	rig_report(rig_first_open("mx:y.example"), REPORT_DELIVERED,
	    REPORT_SCOPE_RECIPIENT);
	rig_run();
	scheduler_stop();
	house_crash(&rig_house);
	rig_start();
	scheduler_wake();
	assert_int_equal(scheduler_active(), 0);
	assert_null(destination_find(&rig_house.destinations, "mx:x.example"));
	assert_true(act("mx:x.example", false));
	rig_run();
	assert_int_equal(rig_open("mx:x.example"), 1);
}

static void
is_bounded(void **state)
{
	char name[64];

	(void)state;
	for (unsigned int i = 0; i < PAUSE_MOST; i++) {
		snprintf(name, sizeof(name), "mx:n%u.example", i);
		assert_int_equal(query_pause(name, true, on_done, NULL), 0);
		if (i % 100 == 0)
			rig_run();
	}
	rig_run();
	assert_int_equal(pause_count(), PAUSE_MOST);
	assert_int_equal(query_pause("mx:more", true, on_done, NULL), 1);
	assert_false(act("mx:n0.example", true));
	assert_true(act("", true));
	assert_true(act("mx:n77.example", false));
	assert_true(act("mx:more", true));
	assert_string_equal(pause_from(""), "mx:more");
	assert_string_equal(pause_above("mx:more"), "mx:n0.example");
	assert_null(pause_above("mx:n999.example"));
}

static char names[8][LIMIT_DESTINATION + 1];
static unsigned int name_count;

static bool
note(const struct query_destination *d, void *context)
{
	(void)context;
	snprintf(names[name_count++], sizeof(names[0]), "%s %u %u", d->name,
	    (unsigned int)d->row->waiting, (unsigned int)d->paused);
	return true;
}

/* Also those that have no mail are told of, each once and in order. */
static void
is_told(void **state)
{
	char place[LIMIT_DESTINATION + 1] = "";
	int more;

	(void)state;
	query_destinations_start(&rig_house.lifecycle);
	assert_true(act("mx:a.example", true));
	assert_true(act("mx:m.example", true));
	assert_true(act("mx:z.example", true));
	rig_submit_one("x@b.example");
	rig_submit_one("x@m.example");
	rig_run();
	name_count = 0;
	while ((more = query_destinations("", place, 1, note, NULL)) == 1)
		assert_true(name_count < 8);
	assert_int_equal(more, 0);
	assert_int_equal(name_count, 4);
	assert_string_equal(names[0], "mx:a.example 0 1");
	assert_string_equal(names[1], "mx:b.example 1 0");
	assert_string_equal(names[2], "mx:m.example 1 1");
	assert_string_equal(names[3], "mx:z.example 0 1");
}

/* Rows that make no sense lie before, between and behind those of a pause. */
static void
is_not_hidden_by_damage(void **state)
{
	static const struct row_key bad[] = {
		{ .length = 7, .octets = "paused!" },
		{ .length = 7, .octets = "paused:" },
		{ .length = 9, .octets = "paused:m\0" },
		{ .length = 400, .octets = "paused:mx:y" },
	};
	struct store *s = rig_house.store;

	(void)state;
	assert_true(act("mx:x.example", true));
	assert_true(act("mx:z.example", true));
	assert_int_equal(store_write_begin(s), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(store_put(s, STORE_META, &bad[i], "", 0), 0);
	assert_int_equal(store_write_commit(s), 0);
	pause_set("mx:x.example", false);
	pause_set("mx:z.example", false);
	assert_int_equal(store_read_begin(s), 0);
	assert_int_equal(pause_load(s), 0);
	store_read_end(s);
	assert_int_equal(pause_count(), 2);
	assert_int_equal(pause_damaged(), COUNT(bad));
	assert_true(pause_is_set("mx:x.example"));
	assert_true(pause_is_set("mx:z.example"));
	assert_int_equal(store_write_begin(s), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(store_delete(s, STORE_META, &bad[i]), 0);
	assert_int_equal(store_write_commit(s), 0);
	assert_true(act("mx:x.example", false));
	assert_true(act("mx:z.example", false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(is_not_hidden_by_damage),
		RIG_TEST(stops_one_destination),
		RIG_TEST(lets_what_is_in_flight_end),
		RIG_TEST(stops_everything),
		RIG_TEST(forgets_nobody),
		RIG_TEST(mail_does_not_grow_old),
		RIG_TEST(outlives_us),
		RIG_TEST(takes_no_place),
		RIG_TEST(is_bounded),
		RIG_TEST(is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
