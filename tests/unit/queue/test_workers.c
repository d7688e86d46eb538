#include <fcntl.h>
#include <time.h>

#include "queue/delivery.h"
#include "queue/link_agent.h"
#include "queue/link_spawn.h"
#include "queue/scheduler.h"
#include "queue/scheduler_lists.h"
#include "queue/workers.h"
#include "tests/unit/queue/test.h"

#include <event2/event.h>

/* Who works for which user, between a spawn, agents and a scheduler that do
 * what the test says. */

#define MOST 200 /* processes */

struct agent {
	const struct agent_handler *handler;
	void *context;
	unsigned int in_flight;
	bool room;
	int64_t age_ms; /* of its oldest delivery */
};

static const struct spawn_handler *spawn;
static bool spawn_is_there;
static struct {
	uint32_t number;
	char user[LIMIT_USER + 1];
} hired[1000];
static unsigned int hires, dismissed, woken, slots_freed, killed, given_up;
static struct agent *agents[1000]; /* NULL once freed */
static unsigned int agent_count;
static struct agent *newest;
static struct event_base *base;
static bool memory_is_there = true;

void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t, size_t);

void *
__wrap_calloc(size_t count, size_t size)
{
	return memory_is_there ? __real_calloc(count, size) : NULL;
}

void
spawn_start(struct event_base *the_base, const struct spawn_handler *handler)
{
	assert_ptr_equal(the_base, base);
	spawn = handler;
}

int
spawn_hire(uint32_t number, const char *user)
{
	if (!spawn_is_there)
		return -1;
	assert_true(hires < COUNT(hired));
	hired[hires].number = number;
	snprintf(hired[hires].user, sizeof(hired[hires].user), "%s", user);
	hires++;
	return 0;
}

void
spawn_kill(uint32_t number, uint32_t pid)
{
	(void)number;
	assert_int_equal(pid, 4711);
	killed++;
}

struct agent *
agent_new(struct event_base *the_base, int fd_take, enum program program,
    unsigned int most, const struct agent_handler *handler, void *context)
{
	(void)the_base;
	assert_int_equal(program, PROGRAM_LOCAL);
	assert_true(most > 0);
	close(fd_take);
	newest = calloc(1, sizeof(*newest));
	assert_non_null(newest);
	newest->handler = handler;
	newest->context = context;
	newest->room = true;
	assert_true(agent_count < COUNT(agents));
	agents[agent_count++] = newest;
	return newest;
}

static void
forget(const struct agent *a)
{
	for (unsigned int i = 0; i < agent_count; i++)
		if (agents[i] == a)
			agents[i] = NULL;
}

void
agent_free(struct agent **a)
{
	if (*a != NULL)
		dismissed++;
	forget(*a);
	free(*a);
	*a = NULL;
}

void
agent_give_up(struct agent **a, const char *reply)
{
	assert_memory_equal(reply, "4.", 2);
	given_up++;
	forget(*a);
	free(*a);
	*a = NULL;
}

bool
agent_has_room(const struct agent *a)
{
	return a->room;
}

int
agent_deliver(struct agent *a, const struct delivery *delivery)
{
	(void)delivery;
	a->in_flight++;
	return 0;
}

bool
agent_is_late(const struct agent *a, struct monotime since)
{
	return a->age_ms > monotime_ms_between(since, monotime_now());
}

void
scheduler_agent_ready(enum route_kind kind, const char *name)
{
	assert_int_equal(kind, ROUTE_MAILBOX);
	assert_int_equal(strncmp(name, "local:", 6), 0);
	woken++;
}

/* How many users are known to wait. */
static unsigned int waiting;

unsigned int
scheduler_list_count(enum lane_list list)
{
	assert_int_equal(list, LANE_FULL_LOCAL);
	return waiting;
}

void
scheduler_slot_free(enum route_kind kind)
{
	assert_int_equal(kind, ROUTE_MAILBOX);
	slots_freed++;
}

/* -- What the scheduler does ---------------------------------------------- */

static struct lifecycle_report refusal;

static enum agent_state
ready_after(const char *user, unsigned int failures)
{
	char name[LIMIT_DESTINATION + 1];
	struct destination d = { .name = name, .kind = ROUTE_MAILBOX };

	d.row.failures = failures;
	snprintf(name, sizeof(name), "local:%s", user);
	return workers_ready(&d, &refusal);
}

static enum agent_state
ready(const char *user)
{
	return ready_after(user, 0);
}

static void
deliver(const char *user)
{
	static struct delivery delivery;
	static struct destination d = { .kind = ROUTE_MAILBOX };
	static char name[LIMIT_DESTINATION + 1];

	snprintf(name, sizeof(name), "local:%s", user);
	d.name = name;
	delivery.destination = &d;
	assert_int_equal(workers_deliver(&delivery), 0);
}

/* The answer to the last request. */
static struct agent *
arrive(void)
{
	int fd = open("/dev/null", O_RDONLY);

	assert_int_not_equal(fd, -1);
	spawn->hired(hired[hires - 1].number, fd, 4711);
	return newest;
}

static void
finish(struct agent *a)
{
	a->in_flight = 0;
	a->handler->idle(a, a->context);
}

/* Its link ends. */
static void
die(struct agent *a)
{
	forget(a);
	a->handler->closed(a, a->context);
	free(a);
}

static int
set_up(void **state)
{
	(void)state;
	spawn_is_there = true;
	hires = agent_count = dismissed = woken = slots_freed = 0;
	killed = given_up = waiting = 0;
	return 0;
}

/* All go: those who were hired or refused, and those who were asked for. */
static int
tear_down(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < agent_count; i++)
		if (agents[i] != NULL)
			die(agents[i]);
	spawn_is_there = true;
	spawn->lost();
	hires = 0;
	spawn->ready();
	for (unsigned int i = 0; i < hires; i++)
		spawn->refused(hired[i].number, REPORT_DEFERRED, "4.0.0 end");
	spawn->ready();
	return 0;
}

static int
begin(void **state)
{
	(void)state;
	base = event_base_new();
	return base == NULL ? -1 : workers_start(base);
}

/* -- Tests ---------------------------------------------------------------- */

static void
test_a_worker_is_hired_once(void **state)
{
	(void)state;
	assert_int_equal(ready("alice"), AGENT_COMING);
	assert_int_equal(ready("alice"), AGENT_COMING);
	assert_int_equal(hires, 1);
	assert_string_equal(hired[0].user, "alice");
	arrive();
	assert_int_equal(woken, 1);
	assert_int_equal(ready("alice"), AGENT_READY);
	deliver("alice");
	newest->room = false;
	assert_int_equal(ready("alice"), AGENT_FULL);
	newest->room = true;
	assert_int_equal(ready("alice"), AGENT_READY);
	assert_int_equal(ready("bob"), AGENT_COMING);
	assert_int_equal(hires, 2);
}

static void
test_a_refusal_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(ready("alice"), AGENT_COMING);
	spawn->refused(hired[0].number, REPORT_FAILED, "5.1.1 nobody");
	assert_int_equal(woken, 1);
	assert_int_equal(ready("alice"), AGENT_REFUSED);
	assert_int_equal(refusal.outcome, REPORT_FAILED);
	assert_int_equal(refusal.scope, REPORT_SCOPE_RECIPIENT);
	assert_string_equal(refusal.reply, "5.1.1 nobody");
	/* For now: it is all of the user's mail that waits. */
	assert_int_equal(ready("bob"), AGENT_COMING);
	spawn->refused(hired[1].number, REPORT_DEFERRED, "4.3.0 not now");
	assert_int_equal(ready("bob"), AGENT_REFUSED);
	assert_int_equal(refusal.scope, REPORT_SCOPE_DESTINATION);
	assert_int_equal(hires, 2);
}

static void
test_an_answer_that_nobody_asked_for(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_int_equal(ready("alice"), AGENT_COMING);
	newest = NULL;
	spawn->hired(hired[0].number + 1, fd, 4711);
	assert_null(newest);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	spawn->refused(hired[0].number + 1, REPORT_FAILED, "5.0.0 no");
	assert_int_equal(ready("alice"), AGENT_COMING);
	arrive();
	/* Nor twice. */
	fd = open("/dev/null", O_RDONLY);
	newest = NULL;
	spawn->hired(hired[0].number, fd, 4711);
	assert_null(newest);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
test_only_so_many(void **state)
{
	char user[32];

	(void)state;
	for (unsigned int i = 0; i < MOST; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		assert_int_equal(ready(user), AGENT_COMING);
		arrive();
		deliver(user);
	}
	assert_int_equal(ready("one-more"), AGENT_FULL);
	assert_int_equal(hires, MOST);
	/* An idle one makes room, and says so. */
	slots_freed = 0;
	finish(agents[0]);
	assert_int_equal(slots_freed, 1);
	assert_int_equal(dismissed, 0);
	assert_int_equal(ready("one-more"), AGENT_COMING);
	assert_int_equal(dismissed, 1);
	assert_int_equal(hires, MOST + 1);
	assert_int_equal(ready("user0"), AGENT_FULL);
}

static const char *
user_of(const char *kind, unsigned int number)
{
	static char user[32];

	snprintf(user, sizeof(user), "%s%u", kind, number);
	return user;
}

/* So many more users have mail, and none of them a home that answers. */
static void
hang(const char *kind, unsigned int count, unsigned int failures)
{
	for (unsigned int i = 0; i < count; i++) {
		assert_int_equal(
		    ready_after(user_of(kind, i), failures), AGENT_COMING);
		arrive();
		deliver(user_of(kind, i));
	}
}

/* Of the clock that cannot be set. */
static void
wait_ms(long milliseconds)
{
	nanosleep(&(struct timespec){ .tv_sec = milliseconds / 1000,
		      .tv_nsec = milliseconds % 1000 * 1000000 },
	    NULL);
}

static void
time_passes(int64_t milliseconds)
{
	for (unsigned int i = 0; i < agent_count; i++)
		if (agents[i] != NULL)
			agents[i]->age_ms += milliseconds;
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

/* Whoever is stuck has places of his kind, after a few seconds. */
static void
test_stuck_users_delay_nobody_for_long(void **state)
{
	(void)state;
	hang("stuck", MOST, 0);
	assert_int_equal(ready("one-more"), AGENT_FULL);
	slots_freed = 0;
	time_passes(9000);
	assert_int_equal(ready("one-more"), AGENT_FULL);
	time_passes(2000);
	assert_int_equal(slots_freed, MOST); /* once for each */
	time_passes(1000);
	assert_int_equal(slots_freed, MOST);
	hang("late", MOST, 0);
	assert_int_equal(ready("one-more"), AGENT_FULL);
	/* Not without end. */
	time_passes(20000);
	assert_int_equal(ready("one-more"), AGENT_FULL);
	/* One that was only slow makes room like any other. */
	finish(agents[0]);
	assert_int_equal(ready("one-more"), AGENT_COMING);
	assert_int_equal(dismissed, 1);
	assert_int_equal(ready("another"), AGENT_FULL);
	assert_int_equal(given_up, 0);
}

/* So many have mail without end, and their workers work. */
static void
keep_busy(void)
{
	for (unsigned int i = 0; i < MOST; i++) {
		assert_int_equal(ready(user_of("busy", i)), AGENT_COMING);
		arrive();
		deliver(user_of("busy", i));
	}
}

/* Whoever has mail without end has turns like everybody else. */
static void
test_long_queues_make_room(void **state)
{
	unsigned int yields = 0;

	(void)state;
	keep_busy();
	wait_ms(2100);
	for (unsigned int i = 0; i < MOST; i++)
		assert_int_equal(ready(user_of("busy", i)), AGENT_READY);
	waiting = 1;
	assert_int_equal(ready("one-more"), AGENT_FULL);
	waiting = 0; /* it was told of a free slot */
	for (unsigned int i = 0; i < MOST; i++)
		yields += ready(user_of("busy", i)) == AGENT_COMING;
	assert_int_equal(yields, 1);
	slots_freed = woken = 0;
	finish(agents[0]);
	/* The other is told, and has the place; then he may ask again. */
	assert_int_equal(slots_freed, 1);
	assert_int_equal(woken, 0);
	assert_int_equal(ready("busy0"), AGENT_COMING);
	assert_int_equal(ready("one-more"), AGENT_COMING);
	assert_int_equal(hires, MOST + 1);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(woken, 1);
	assert_int_equal(ready("busy0"), AGENT_FULL);
	/* One whose turn has just begun is not asked to make room. */
	arrive();
	deliver("one-more");
	assert_int_equal(ready("one-more"), AGENT_READY);
}

/* As many make room as others wait, but nobody who is stuck. */
static void
test_not_more_make_room_than_wait(void **state)
{
	unsigned int yields = 0;

	(void)state;
	keep_busy();
	agents[0]->age_ms = agents[1]->age_ms = 20000;
	wait_ms(2100);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	hang("more", 2, 0);
	assert_int_equal(ready("one-more"), AGENT_FULL);
	waiting = 4;
	for (unsigned int i = 0; i < MOST; i++)
		yields += ready(user_of("busy", i)) == AGENT_COMING;
	assert_int_equal(yields, 5);
	assert_int_equal(ready("busy0"), AGENT_READY);
	assert_int_equal(ready("busy1"), AGENT_READY);
	assert_int_equal(ready("busy2"), AGENT_COMING);
	/* One of them is stuck now, and another may. */
	agents[2]->age_ms = 20000;
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(ready("more0"), AGENT_READY);
	assert_int_equal(ready("busy10"), AGENT_COMING);
	assert_int_equal(ready("busy11"), AGENT_READY);
}

/* Users whom spawn refuses have no process, and take no place. */
static void
test_refused_users_take_no_place(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < MOST; i++) {
		assert_int_equal(ready(user_of("refused", i)), AGENT_COMING);
		slots_freed = 0;
		spawn->refused(hired[i].number, REPORT_FAILED, "5.1.1 nobody");
		assert_int_equal(slots_freed, 1);
	}
	assert_int_equal(ready("one-more"), AGENT_COMING);
	assert_int_equal(ready("refused0"), AGENT_REFUSED);
}

/* What is ended is not tried again at once. */
static void
test_a_user_that_hangs_is_given_up(void **state)
{
	(void)state;
	hang("stuck", 2, 0);
	time_passes(299000);
	assert_int_equal(given_up, 0);
	time_passes(2000);
	assert_int_equal(killed, 2);
	assert_int_equal(given_up, 2);
	assert_int_equal(dismissed, 0);
	assert_int_equal(ready("stuck0"), AGENT_COMING);
}

/* Those whose homes hung the last time have a quarter of the places. */
static void
test_users_that_failed_leave_places(void **state)
{
	(void)state;
	hang("failed", MOST / 4, 1);
	assert_int_equal(ready_after("failed-too", 1), AGENT_FULL);
	assert_int_equal(ready("sound"), AGENT_COMING);
	time_passes(20000);
	assert_int_equal(ready_after("failed-too", 1), AGENT_FULL);
	/* It works again, whether there is more for it or not. */
	finish(agents[0]);
	assert_int_equal(ready_after("failed-too", 1), AGENT_COMING);
	assert_int_equal(ready_after("failed-as-well", 1), AGENT_FULL);
}

static void
test_a_worker_that_dies_is_hired_again(void **state)
{
	struct agent *a;

	(void)state;
	assert_int_equal(ready("alice"), AGENT_COMING);
	a = arrive();
	deliver("alice");
	woken = slots_freed = 0;
	die(a);
	assert_int_equal(woken, 1);
	assert_int_equal(slots_freed, 1);
	assert_int_equal(ready("alice"), AGENT_COMING);
	assert_int_equal(hires, 2);
	assert_int_not_equal(hired[0].number, hired[1].number);
}

/* While spawn is not there nothing is lost: it is asked when it is back. */
static void
test_spawn_ends_and_comes_back(void **state)
{
	(void)state;
	assert_int_equal(ready("alice"), AGENT_COMING);
	spawn_is_there = false;
	spawn->lost();
	assert_int_equal(ready("alice"), AGENT_COMING);
	assert_int_equal(ready("bob"), AGENT_COMING);
	assert_int_equal(hires, 1);
	spawn_is_there = true;
	spawn->ready();
	assert_int_equal(hires, 3);
	/* The answer of the old one is not an answer. */
	spawn->refused(hired[0].number, REPORT_FAILED, "5.0.0 no");
	assert_int_equal(ready("alice"), AGENT_COMING);
}

/* With a new configuration the idle go at once, the busy when they are done. */
static void
test_a_new_spawn_means_new_workers(void **state)
{
	struct agent *busy;

	(void)state;
	assert_int_equal(ready("idle"), AGENT_COMING);
	arrive();
	assert_int_equal(ready("busy"), AGENT_COMING);
	busy = arrive();
	deliver("busy");
	spawn->ready();
	assert_int_equal(dismissed, 1);
	assert_int_equal(ready("busy"), AGENT_COMING);
	assert_int_equal(hires, 2);
	finish(busy);
	assert_int_equal(dismissed, 2);
	assert_int_equal(ready("busy"), AGENT_COMING);
	assert_int_equal(ready("idle"), AGENT_COMING);
	assert_int_equal(hires, 4);
}

/* Nobody waits for an announcement that does not come. */
static void
test_no_memory_for_a_worker(void **state)
{
	(void)state;
	memory_is_there = false;
	assert_int_equal(ready("alice"), AGENT_REFUSED);
	memory_is_there = true;
	assert_int_equal(refusal.outcome, REPORT_DEFERRED);
	assert_int_equal(refusal.scope, REPORT_SCOPE_DESTINATION);
	assert_int_equal(hires, 0);
	assert_int_equal(ready("alice"), AGENT_COMING);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_worker_is_hired_once),
		TEST(test_a_refusal_is_passed_on),
		TEST(test_an_answer_that_nobody_asked_for),
		TEST(test_only_so_many),
		TEST(test_stuck_users_delay_nobody_for_long),
		TEST(test_long_queues_make_room),
		TEST(test_not_more_make_room_than_wait),
		TEST(test_refused_users_take_no_place),
		TEST(test_a_user_that_hangs_is_given_up),
		TEST(test_users_that_failed_leave_places),
		TEST(test_a_worker_that_dies_is_hired_again),
		TEST(test_spawn_ends_and_comes_back),
		TEST(test_a_new_spawn_means_new_workers),
		TEST(test_no_memory_for_a_worker),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
