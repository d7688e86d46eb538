#include "tests/unit/supervisor/test.h"

#include <errno.h>

#include <event2/event.h>

#include "supervisor/links.h"
#include "supervisor/process.h"
#include "supervisor/relink.h"

/* The links of this test are only written down. */
static char told[4000];

static void
note(const char *what, const struct process *p, const struct process *other)
{
	size_t length = strlen(told);

	snprintf(told + length, sizeof(told) - length, "%s %s%u %s%u\n", what,
	    program_name(p->spec->program), p->instance,
	    program_name(other->spec->program), other->instance);
}

static bool may_be = true;
static int failures; /* of the next links */

bool
links_may_be(const struct process *p, const struct process *other)
{
	(void)p;
	(void)other;
	return may_be;
}

int
links_join_two(struct process *p, struct process *other)
{
	note(failures > 0 ? "fail" : "link", p, other);
	if (failures == 0)
		return 0;
	failures--;
	errno = EMFILE;
	return -1;
}

void
process_kill(struct process *p, const char *why)
{
	(void)why;
	note("kill", p, p);
}

struct fixture {
	struct house house;
	struct process queue, router, smtpd, remote;
};

static void
add(struct house *house, struct process *p, enum program program,
    uint32_t instance)
{
	p->house = house;
	p->spec = programs_find(program);
	p->instance = instance;
	p->pid = 1;
	p->started = monotime_now();
	p->state = PROCESS_READY;
	TAILQ_INSERT_TAIL(&house->processes, p, next);
}

static int
set_up(void **context)
{
	static struct event_base *base;
	static struct fixture f;

	if (base == NULL)
		base = event_base_new();
	memset(&f, 0, sizeof(f));
	told[0] = '\0';
	may_be = true;
	failures = 0;
	f.house.base = base;
	TAILQ_INIT(&f.house.processes);
	add(&f.house, &f.queue, PROGRAM_QUEUE, 1);
	add(&f.house, &f.router, PROGRAM_ROUTER, 2);
	add(&f.house, &f.smtpd, PROGRAM_SMTPD, 3);
	add(&f.house, &f.remote, PROGRAM_REMOTE, 4);
	*context = &f;
	return base == NULL ? -1 : 0;
}

static int
ask(struct process *p, enum program program, uint32_t instance, bool hangs)
{
	const struct message_peer_lost m = { (uint16_t)program, instance,
		hangs };

	return relink_ask(p, &m);
}

/* All timers go off. */
static void
wait_for_all(struct fixture *f)
{
	assert_true(event_base_dispatch(f->house.base) >= 0);
}

static void
test_makes_a_new_link(void **context)
{
	struct fixture *f = *context;

	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 2, false), 0);
	assert_int_equal(ask(&f->router, PROGRAM_SMTPD, 3, false), 0);
	/* Asked twice, made once. */
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 2, false), 0);
	assert_string_equal(told, "");
	wait_for_all(f);
	assert_non_null(strstr(told, "link queue1 router2\n"));
	assert_non_null(strstr(told, "link router2 smtpd3\n"));
	assert_int_equal(strlen(told), 40);
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 2, false), 0);
	wait_for_all(f);
	assert_int_equal(strlen(told), 60);
}

static void
test_waits_longer_each_time(void **context)
{
	static const int64_t waits[] = { 200, 400, 800, 1600, 3200, 6400, 12800,
		25600, 30000, 30000 };
	int64_t last = 0;

	(void)context;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		last = relink_wait(last, RELINK_STEADY_MS - 1);
		assert_int_equal(last, waits[i]);
	}
	assert_int_equal(relink_wait(last, RELINK_STEADY_MS), 200);
}

/* Asked again at once, it comes later each time. */
static void
test_keeps_its_pace(void **context)
{
	struct fixture *f = *context;
	struct monotime start = monotime_now();

	f->router.instance = 20;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 20, false), 0);
		wait_for_all(f);
	}
	assert_string_equal(told, "link queue1 router20\n"
				  "link queue1 router20\n"
				  "link queue1 router20\n");
	assert_true(monotime_ms_between(start, monotime_now()) >= 1390);
	/* Another pair does not wait for it. */
	start = monotime_now();
	assert_int_equal(ask(&f->queue, PROGRAM_REMOTE, 4, false), 0);
	wait_for_all(f);
	assert_true(monotime_ms_between(start, monotime_now()) < 1000);
}

static void
test_tries_again_what_failed(void **context)
{
	struct fixture *f = *context;

	failures = 2;
	f->router.instance = 30;
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 30, false), 0);
	wait_for_all(f);
	assert_string_equal(told, "fail queue1 router30\n"
				  "fail queue1 router30\n"
				  "link queue1 router30\n");
}

/* Its successor is linked when it is started. */
static void
test_leaves_the_dead_alone(void **context)
{
	struct fixture *f = *context;

	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 99, false), 0);
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 4, false), 0);
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 2, false), 0);
	assert_int_equal(ask(&f->router, PROGRAM_SMTPD, 3, false), 0);
	f->router.instance = 5;
	f->router.state = PROCESS_STARTING;
	f->smtpd.pid = 0;
	wait_for_all(f);
	assert_string_equal(told, "");
	/* One that is leaving needs no link any more. */
	f->router.state = PROCESS_DRAINING;
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 5, false), 0);
	wait_for_all(f);
	f->router.state = PROCESS_READY;
	f->house.stopping = true;
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 5, false), 0);
	f->house.stopping = false;
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 5, false), 0);
	f->house.stopping = true;
	wait_for_all(f);
	f->house.stopping = false;
	/* Nor does one of a generation that has not joined. */
	may_be = false;
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 5, false), 0);
	wait_for_all(f);
	assert_string_equal(told, "");
}

/* It lost the link before it was ready: nobody else will make it. */
static void
test_serves_those_that_start(void **context)
{
	struct fixture *f = *context;

	f->router.instance = 40;
	f->router.state = PROCESS_STARTING;
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 40, false), 0);
	wait_for_all(f);
	assert_string_equal(told, "link queue1 router40\n");
}

static void
test_replaces_what_hangs(void **context)
{
	struct fixture *f = *context;

	f->remote.started = monotime_add_ms(monotime_now(), -RELINK_HANG_MS);
	assert_int_equal(ask(&f->queue, PROGRAM_REMOTE, 4, true), 0);
	assert_string_equal(told, "kill remote4 remote4\n");
	assert_int_equal(ask(&f->queue, PROGRAM_REMOTE, 99, true), 0);
	wait_for_all(f);
	assert_string_equal(told, "kill remote4 remote4\n");
	/* A young one cannot have hung for so long: it is not killed, and
	 * not left without a link either. */
	f->remote.instance = 50;
	f->remote.started = monotime_now();
	assert_int_equal(ask(&f->queue, PROGRAM_REMOTE, 50, true), 0);
	wait_for_all(f);
	assert_string_equal(
	    told, "kill remote4 remote4\nlink queue1 remote50\n");
}

/* A program that was taken over cannot stop others, nor ask for links that
 * are theirs to ask for. */
static void
test_believes_inner_ends_only(void **context)
{
	struct fixture *f = *context;

	assert_int_equal(ask(&f->router, PROGRAM_REMOTE, 4, false), -1);
	assert_int_equal(ask(&f->queue, PROGRAM_SMTPD, 3, false), -1);
	assert_int_equal(ask(&f->queue, PROGRAM_NONE, 3, false), -1);
	assert_int_equal(ask(&f->router, PROGRAM_QUEUE, 1, false), -1);
	assert_int_equal(ask(&f->smtpd, PROGRAM_ROUTER, 2, false), -1);
	assert_int_equal(ask(&f->remote, PROGRAM_QUEUE, 1, false), -1);
	assert_int_equal(ask(&f->router, PROGRAM_QUEUE, 1, true), -1);
	assert_int_equal(ask(&f->router, PROGRAM_SMTPD, 3, true), -1);
	assert_int_equal(ask(&f->queue, PROGRAM_ROUTER, 2, true), -1);
	f->smtpd.spec = programs_find(PROGRAM_RESOLVER);
	assert_int_equal(ask(&f->smtpd, PROGRAM_REMOTE, 4, true), -1);
	wait_for_all(f);
	assert_string_equal(told, "");
}

/* All of many at the same time get theirs. */
static void
test_forgets_nobody(void **context)
{
	static struct process many[100];
	struct fixture *f = *context;
	char line[40];

	for (uint32_t i = 0; i < 100; i++)
		add(&f->house, &many[i], PROGRAM_SMTPD, 1000 + i);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(
		    ask(&f->router, PROGRAM_SMTPD, 1000 + i, false), 0);
	wait_for_all(f);
	for (uint32_t i = 0; i < 100; i++) {
		snprintf(
		    line, sizeof(line), "link router2 smtpd%u\n", 1000 + i);
		assert_non_null(strstr(told, line));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_makes_a_new_link, set_up),
		cmocka_unit_test(test_waits_longer_each_time),
		cmocka_unit_test_setup(test_keeps_its_pace, set_up),
		cmocka_unit_test_setup(test_tries_again_what_failed, set_up),
		cmocka_unit_test_setup(test_leaves_the_dead_alone, set_up),
		cmocka_unit_test_setup(test_serves_those_that_start, set_up),
		cmocka_unit_test_setup(test_replaces_what_hangs, set_up),
		cmocka_unit_test_setup(test_believes_inner_ends_only, set_up),
		cmocka_unit_test_setup(test_forgets_nobody, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
