/*
 * The whole life of a message that cannot be delivered, by the clock: it is
 * tried for five days, its sender is warned and then told, and after two weeks
 * nothing is left of it. The store, the commit, the scheduler, the reporter
 * and the history are the real ones; time goes by as this says.
 */
#include <time.h>

#include "common/config.h"
#include "queue/commit.h"
#include "queue/history.h"
#include "queue/reporter.h"
#include "queue/store_event.h"
#include "queue/tell.h"
#include "tests/unit/queue/played_router.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define BEGIN UINT64_C(1800000000)
/* How often the house looks: nothing is later than that, and a look. */
#define STEP 10
#define MOST_TRIES 200

static char hostname[] = "mail.example.org", admin[] = "admin@example.org";
static struct config configuration;
static struct config *const in_use = &configuration;
static const unsigned int keep = 14 * DAY;

/* What happened, in seconds since the message came. */
static struct life {
	uint64_t id;
	unsigned int tries;
	unsigned int tried_at[MOST_TRIES];
	unsigned int reports;
	unsigned int reported_at[4];
	char report[4][8192];
	unsigned int reports_delivered;
	unsigned int crashes;
} life;

static unsigned int
age(void)
{
	return (unsigned int)(house_now / 1000 - BEGIN);
}

/* -- The neighbours -------------------------------------------------------- */

static void
on_answer(struct submission *s, unsigned int code, const char *reply)
{
	(void)reply;
	assert_int_equal(code, 250);
	reporter_stored(&router, s->inject, code);
}

static void
note_report(void)
{
	unsigned int n = life.reports++;
	ssize_t length;

	assert_int_equal(given_count, life.reports);
	assert_true(n < COUNT(life.report));
	life.reported_at[n] = age();
	length = pread(given.fd, life.report[n], sizeof(life.report[n]) - 1, 0);
	assert_true(length > 0);
	life.report[n][length] = '\0';
}

/* The router finds a way for the report, and sends it back. */
static void
send_back(void)
{
	struct submission *s = played_send_back("", TELL_HELO_REPORT);

	s->telling = reporter_take(&router, s->inject, s->fd, s->size);
	assert_non_null(s->telling);
	s->answer = on_answer;
	commit_submission(s);
	played_drop();
}

/* The agents: nobody there takes the message, everybody takes a report. */
static void
answer_deliveries(enum report_scope scope)
{
	for (unsigned int i = 0; i < rig_given_count; i++) {
		struct rig_given *g = &rig_given[i];

		if (!g->open)
			continue;
		if (g->id == life.id) {
			assert_true(life.tries < MOST_TRIES);
			life.tried_at[life.tries++] = age();
			rig_report(g, REPORT_DEFERRED, scope);
		} else {
			life.reports_delivered++;
			rig_report(g, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
		}
	}
}

/* -- Time ------------------------------------------------------------------ */

static void
start(void)
{
	played_begin();
	rig_house.lifecycle.warn_after = 4 * HOUR;
	assert_int_equal(
	    reporter_start(base, &rig_house.lifecycle, &in_use), 0);
	assert_int_equal(history_start(base, rig_house.store, &keep), 0);
}

static void
stop(void)
{
	reporter_router_lost(&router);
	played_end();
}

static int
set_up(void **state)
{
	memset(&life, 0, sizeof(life));
	played_reset();
	configuration.hostname = hostname;
	configuration.admin = admin;
	if (rig_set_up(state) != 0)
		return -1;
	start();
	return 0;
}

static int
tear_down(void **state)
{
	stop();
	return rig_tear_down(state);
}

/* Killed, and started again. */
static void
crash(void)
{
	assert_int_equal(flight_count(), 0);
	scheduler_stop();
	stop();
	house_crash(&rig_house);
	rig_start();
	start();
	life.crashes++;
}

static void
look(enum report_scope scope)
{
	scheduler_wake();
	rig_run();
	answer_deliveries(scope);
	rig_run();
	reporter_look();
	played_look();
	if (given.fd != -1) {
		note_report();
		send_back();
	}
	rig_run();
	answer_deliveries(scope);
	rig_run();
}

/* Until the house is as old as that. With crashes now and then, if wanted: in
 * steps that are a prime number, so that they come at all sorts of moments. */
static void
live_until(unsigned int seconds, unsigned int step, enum report_scope scope,
    bool crashes)
{
	unsigned int looks = 0;

	while (age() < seconds) {
		house_now += step * UINT64_C(1000);
		look(scope);
		if (crashes && ++looks % 97 == 0)
			crash();
	}
}

/* -- What must be true ----------------------------------------------------- */

static bool
is_there(void)
{
	struct row_recipient row;

	return house_recipient(&rig_house, life.id, 0, &row);
}

/* How many events of each kind the history has of it. */
static void
count_events(unsigned int counts[EVENT_KINDS])
{
	struct row_key from = row_key_number(life.id, 0);
	struct bytes key, value;

	memset(counts, 0, EVENT_KINDS * sizeof(*counts));
	assert_int_equal(store_read_begin(rig_house.store), 0);
	for (int found =
		 store_seek(rig_house.store, STORE_EVENT, &from, &key, &value);
	     found == 0;
	     found = store_next(rig_house.store, STORE_EVENT, &key, &value)) {
		struct row_event row;
		uint32_t number;
		uint64_t id;

		assert_int_equal(
		    row_key_number_read(key.data, key.length, &id, &number), 0);
		if (id != life.id)
			break;
		assert_int_equal(
		    row_event_decode(&row, value.data, value.length), 0);
		assert_true(row.what < EVENT_KINDS);
		counts[row.what]++;
	}
	store_read_end(rig_house.store);
}

/* From five minutes, doubled up to four hours, less at most a quarter. */
static void
check_intervals(void)
{
	unsigned int delay = 5 * MINUTE, jittered = 0;

	assert_in_range(life.tried_at[0], 0, STEP);
	for (unsigned int i = 1; i < life.tries; i++) {
		unsigned int gap = life.tried_at[i] - life.tried_at[i - 1];
		unsigned int least = delay - delay / 4;

		if (least < 5 * MINUTE)
			least = 5 * MINUTE;
		assert_in_range(gap, least - STEP, delay + 2 * STEP);
		if (gap + 2 * STEP < delay)
			jittered++;
		delay = delay * 2 < 4 * HOUR ? delay * 2 : 4 * HOUR;
	}
	/* Tries in five days: some thirty, most of them not on the hour. */
	assert_in_range(life.tries, 30, 45);
	assert_true(jittered > life.tries / 2);
}

static unsigned int
first_try_after(unsigned int seconds)
{
	for (unsigned int i = 0; i < life.tries; i++)
		if (life.tried_at[i] >= seconds)
			return life.tried_at[i];
	fail_msg("there was no try after %u s", seconds);
	return 0;
}

/* Of the try that the report was made for, to the second. */
static void
check_last_attempt(const char *report, unsigned int tried)
{
	time_t at = (time_t)(BEGIN + tried);
	char line[64];
	struct tm tm;

	assert_true(strftime(line, sizeof(line),
			"\r\nLast-Attempt-Date: %a, %d %b %Y %T +0000\r\n",
			gmtime_r(&at, &tm)) > 0);
	assert_non_null(strstr(report, line));
}

/* Once each: warned with the first try that fails after four hours, told with
 * the first after five days. */
static void
check_reports(void)
{
	unsigned int warned = first_try_after(4 * HOUR);
	unsigned int failed = first_try_after(5 * DAY);

	assert_int_equal(life.reports, 2);
	assert_in_range(
	    life.reported_at[0], warned, warned + TELL_GATHER + 2 * STEP);
	assert_true(warned <= 4 * HOUR + 160 * MINUTE);
	assert_non_null(strstr(life.report[0], "Action: delayed"));
	assert_int_equal(failed, life.tried_at[life.tries - 1]);
	assert_true(failed <= 5 * DAY + 4 * HOUR + 2 * STEP);
	assert_in_range(
	    life.reported_at[1], failed, failed + TELL_GATHER + 2 * STEP);
	assert_non_null(strstr(life.report[1], "Action: failed"));
	check_last_attempt(life.report[0], warned);
	check_last_attempt(life.report[1], failed);
	for (unsigned int i = 0; i < life.reports; i++) {
		assert_non_null(
		    strstr(life.report[i], "To: <sender@example.net>"));
		assert_non_null(strstr(life.report[i], "u@example.com"));
	}
	assert_int_equal(life.reports_delivered, 2);
}

static void
check_story(void)
{
	unsigned int counts[EVENT_KINDS];

	count_events(counts);
	assert_int_equal(counts[EVENT_ACCEPTED], 1);
	assert_int_equal(counts[EVENT_DEFERRED], life.tries - 1);
	assert_int_equal(counts[EVENT_WARNED], 1);
	assert_int_equal(counts[EVENT_EXPIRED], 1);
	assert_int_equal(counts[EVENT_FAILED], 0);
	assert_int_equal(counts[EVENT_BOUNCED], 1);
	assert_int_equal(counts[EVENT_DELIVERED], 0);
	assert_int_equal(counts[EVENT_REMOVED], 0);
}

static void
live_and_die(enum report_scope scope, bool crashes)
{
	struct submission *s =
	    house_mail(300, (const char *const[]){ "u@example.com", NULL });
	unsigned int end;

	s->recipients[0].notify = 0; /* what RFC 3461 does without one */
	life.id = s->id;
	commit_submission(s);
	look(scope);
	live_until(4 * HOUR, STEP, scope, crashes);
	assert_true(is_there());
	assert_int_equal(life.reports, 0);
	live_until(5 * DAY, STEP, scope, crashes);
	assert_true(is_there());
	assert_int_equal(life.reports, 1);
	live_until(5 * DAY + 5 * HOUR, STEP, scope, crashes);
	check_intervals();
	check_reports();
	check_story();
	/* Nothing waits any more, neither it nor the reports. */
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 0);
	assert_int_equal(house_count(&rig_house, STORE_CONTENT), 0);
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
	assert_int_equal(house_count(&rig_house, STORE_DUE), 0);
	house_is_sound(&rig_house);
	end = life.reported_at[1];
	live_until(end + 14 * DAY - MINUTE, MINUTE, scope, crashes);
	check_story();
	live_until(end + 14 * DAY + HOUR, MINUTE, scope, crashes);
	assert_int_equal(house_count(&rig_house, STORE_EVENT), 0);
	assert_int_equal(house_count(&rig_house, STORE_ADDRESS), 0);
	assert_int_equal(life.reports, 2);
	assert_int_equal(life.reports_delivered, 2);
	assert_true(!crashes || life.crashes > 100);
}

/* -- The tests ------------------------------------------------------------- */

static void
test_a_recipient_that_is_put_off(void **state)
{
	(void)state;
	live_and_die(REPORT_SCOPE_RECIPIENT, false);
}

static void
test_a_host_that_is_down(void **state)
{
	(void)state;
	live_and_die(REPORT_SCOPE_DESTINATION, false);
}

/* Killed again and again, at moments when nothing is in flight: nothing is
 * forgotten, and nothing happens twice. */
static void
test_a_life_with_crashes(void **state)
{
	(void)state;
	live_and_die(REPORT_SCOPE_RECIPIENT, true);
}

/* Much history that is old at once goes in steps, each of a bounded commit. */
static void
test_history_goes_in_small_steps(void **state)
{
	unsigned int before, steps = 0;

	(void)state;
	rig_submit_many("u@local.test", 1000);
	commit_run();
	while (rig_house.lifecycle.totals.waiting > 0 || rig_open(NULL) > 0) {
		look(REPORT_SCOPE_RECIPIENT);
		house_now += 1000;
	}
	before = house_count(&rig_house, STORE_EVENT);
	assert_int_equal(before, 2000);
	house_now += 14 * DAY * UINT64_C(1000) - 60000;
	for (unsigned int i = 0; i < 10; i++)
		look(REPORT_SCOPE_RECIPIENT);
	assert_int_equal(house_count(&rig_house, STORE_EVENT), before);
	house_now += 120000;
	while (before > 0) {
		unsigned int after;

		look(REPORT_SCOPE_RECIPIENT);
		after = house_count(&rig_house, STORE_EVENT);
		assert_in_range(before - after, 0, 500);
		before = after;
		assert_true(++steps < 100);
		house_is_sound(&rig_house);
	}
	assert_true(steps >= 4);
	assert_int_equal(house_count(&rig_house, STORE_ADDRESS), 0);
}

#define LIFE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LIFE_TEST(test_a_recipient_that_is_put_off),
		LIFE_TEST(test_a_host_that_is_down),
		LIFE_TEST(test_a_life_with_crashes),
		LIFE_TEST(test_history_goes_in_small_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
