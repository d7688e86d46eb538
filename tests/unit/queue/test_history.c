/*
 * Much history that is old goes away in steps that keep nobody waiting.
 */
#include "tests/unit/queue/test.h"

#include <sys/time.h>

#include <event2/event.h>

#include "common/id.h"
#include "common/monotime.h"
#include "queue/commit.h"
#include "queue/history.h"
#include "queue/stats.h"
#include "queue/store_event.h"

#define OLD 100000
#define AT_ONCE 5000 /* while the store is filled */
#define DAY UINT64_C(86400)
/* Each has an event for its beginning and one for its end. */
#define STEP_MESSAGES (HISTORY_STEP_ROWS / 2)
/* Far above what a step takes; far below what anybody would notice. */
#define LONGEST_MS 1000

static struct house house;
static struct event_base *base;
static const unsigned int keep = 14 * DAY;
static bool busy;

/* There is always mail to be written, or never. */
bool
commit_is_empty(void)
{
	return !busy;
}

/* The pauses are for a disk and a processor that others use: here nobody
 * does. */
struct timeval __wrap_monotime_timeval(int64_t ms);

struct timeval
__wrap_monotime_timeval(int64_t ms)
{
	return (struct timeval){ .tv_usec = ms >= 1000 ? 20000 : 1000 };
}

static void
put_old(uint64_t id)
{
	struct row_event event = {
		.time = house_now / 1000,
		.what = EVENT_ACCEPTED,
		.address = "r@example.com",
		.original = "alias@example.com",
		.sender = "s@example.net",
		.destination = "mx:example.com",
	};

	assert_int_equal(store_event_accepted(house.store, id, 0, &event), 0);
	event.what = EVENT_DELIVERED;
	event.detail = "250 2.0.0 Ok";
	assert_int_equal(store_event_add(house.store, id, &event), 0);
}

static void
fill(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (i % AT_ONCE == 0)
			assert_int_equal(store_write_begin(house.store), 0);
		put_old(house_id());
		if (i % AT_ONCE == AT_ONCE - 1 || i == count - 1)
			assert_int_equal(store_write_commit(house.store), 0);
	}
	house_now += 30 * DAY * 1000;
}

static int
set_up(void **state)
{
	(void)state;
	busy = false;
	house_open(&house, 512 * MIB);
	base = event_base_new();
	stats.history_forgotten = 0;
	return base == NULL ? -1 : 0;
}

static int
find_timer(const struct event_base *b, const struct event *event, void *found)
{
	(void)b;
	*(const struct event **)found = event;
	return 0;
}

/* The history's timer ends with the process only. */
static int
tear_down(void **state)
{
	const struct event *timer = NULL;

	(void)state;
	house_close(&house);
	event_base_foreach_event(base, find_timer, &timer);
	if (timer != NULL)
		event_free((struct event *)(uintptr_t)timer);
	event_base_free(base);
	return 0;
}

/* One turn of the loop; returns how long it took. */
static int64_t
turn(void)
{
	struct monotime began = monotime_now();

	assert_int_not_equal(event_base_loop(base, EVLOOP_ONCE), -1);
	return monotime_ms_between(began, monotime_now());
}

static int64_t
fresh_mail(void)
{
	static const char *const to[] = { "u@example.org", NULL };
	struct monotime began = monotime_now();
	struct lifecycle_result result;
	uint64_t id = house_accept(&house, 100, to);

	house_report(
	    &house, id, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(result.message_gone);
	return monotime_ms_between(began, monotime_now());
}

static void
test_a_mountain_goes_in_steps(void **state)
{
	unsigned int steps = 0, mail = 0;
	int64_t longest = 0, slowest = 0;

	(void)state;
	fill(OLD);
	assert_int_equal(house_count(&house, STORE_EVENT), 2 * OLD);
	assert_int_equal(history_start(base, house.store, &keep), 0);
	while (stats.history_forgotten < OLD) {
		uint64_t before = stats.history_forgotten;
		int64_t ms = turn();

		/* No commit is larger than a step. */
		assert_true(stats.history_forgotten - before <= STEP_MESSAGES);
		steps += stats.history_forgotten > before;
		longest = ms > longest ? ms : longest;
		/* Mail goes between any two of them. */
		ms = fresh_mail();
		slowest = ms > slowest ? ms : slowest;
		mail++;
	}
	assert_true(steps >= OLD / STEP_MESSAGES);
	assert_true(mail >= steps);
	assert_true(longest < LONGEST_MS);
	assert_true(slowest < LONGEST_MS);
	print_message("%d messages forgotten in %u steps, the longest %d ms; "
		      "%u fresh ones meanwhile, the slowest %d ms\n",
	    OLD, steps, (int)longest, mail, (int)slowest);
	/* Nothing is left of the old, and all of the new. */
	assert_int_equal(house_count(&house, STORE_EVENT), 2 * mail);
	assert_int_equal(house_count(&house, STORE_ADDRESS), 2 * mail);
	house_is_sound(&house);
}

static void
test_mail_that_never_ends(void **state)
{
	unsigned int turns = 0;

	(void)state;
	fill(10);
	busy = true;
	assert_int_equal(history_start(base, house.store, &keep), 0);
	while (stats.history_forgotten < 10) {
		(void)turn();
		assert_true(++turns < 200);
	}
	/* Mail comes first for a while. */
	assert_true(turns >= 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_mountain_goes_in_steps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_mail_that_never_ends, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
