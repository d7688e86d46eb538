#include "tests/unit/supervisor/test.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/record.h"
#include "supervisor/exec.h"
#include "supervisor/process.h"

/* A program that is never run: the test holds the far end of its channel. A
 * number that cannot be a process, so that nothing can be killed. */
#define PID 0x7fffffff

static int far_end = -1;
static char told[200];

static void
note(const char *what, const struct process *p)
{
	size_t length = strlen(told);

	snprintf(told + length, sizeof(told) - length, "%s %s%u\n", what,
	    program_name(p->spec->program), p->instance);
}

pid_t
exec_program(const char *path, int channel, bool keep_stderr)
{
	(void)path;
	(void)keep_stderr;
	if (far_end != -1)
		close(far_end);
	far_end = fcntl(channel, F_DUPFD_CLOEXEC, 0);
	return far_end == -1 ? -1 : PID;
}

static void
on_started(struct process *p)
{
	note("started", p);
}

static void
on_ready(struct process *p)
{
	note("ready", p);
}

static void
on_log_lost(struct process *p)
{
	note("log-lost", p);
}

struct fixture {
	struct house house;
	struct generation generation;
	struct process *process;
};

static int
set_up(void **context)
{
	static const struct process_events events = {
		.started = on_started,
		.ready = on_ready,
		.log_lost = on_log_lost,
	};
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	told[0] = '\0';
	TAILQ_INIT(&f.house.processes);
	f.house.events = &events;
	f.house.base = event_base_new();
	f.generation.number = 1;
	assert_non_null(f.house.base);
	f.process = process_new(
	    &f.generation, &f.house, programs_find(PROGRAM_QUEUE), 0);
	assert_non_null(f.process);
	*context = &f;
	return 0;
}

static int
tear_down(void **context)
{
	struct fixture *f = *context;

	process_free(&f->process);
	event_base_free(f->house.base);
	close(far_end);
	far_end = -1;
	return 0;
}

static void
turn(struct fixture *f)
{
	assert_true(event_base_loop(f->house.base, EVLOOP_NONBLOCK) >= 0);
}

static void
say(struct fixture *f, enum message_type type, uint32_t instance)
{
	struct message m = MESSAGE_INIT(type, 0);

	if (type == MESSAGE_READY)
		m.ready.instance = instance;
	assert_int_equal(0, record_write(far_end, &m, 0));
	turn(f);
}

static void
test_a_life(void **context)
{
	struct fixture *f = *context;
	struct process *p = f->process;

	assert_int_equal(PROCESS_WAITING, p->state);
	process_start(p);
	assert_string_equal(told, "started queue1\n");
	assert_int_equal(PROCESS_STARTING, p->state);
	say(f, MESSAGE_READY, 1);
	assert_string_equal(told, "started queue1\nready queue1\n");
	assert_int_equal(PROCESS_READY, p->state);
	assert_non_null(p->channel);
	process_ended(p, 0);
	assert_int_equal(0, p->pid);
	assert_null(p->channel);
	assert_int_equal(PROCESS_WAITING, p->state);
	/* The first time, and at once, since it had been ready. */
	process_restart(p);
	turn(f);
	assert_string_equal(
	    told, "started queue1\nready queue1\nstarted queue2\n");
	assert_false(p->was_ready);
}

/* The channel closes; the timer sees to the process. */
static void
assert_broken(struct fixture *f)
{
	assert_null(f->process->channel);
	assert_int_equal(PID, f->process->pid);
	assert_true(evtimer_pending(f->process->timer, NULL));
}

static void
test_ready_twice(void **context)
{
	struct fixture *f = *context;

	process_start(f->process);
	say(f, MESSAGE_READY, 1);
	say(f, MESSAGE_READY, 1);
	assert_string_equal(told, "started queue1\nready queue1\n");
	assert_broken(f);
}

static void
test_ready_of_another_life(void **context)
{
	struct fixture *f = *context;

	process_start(f->process);
	say(f, MESSAGE_READY, 2);
	assert_string_equal(told, "started queue1\n");
	assert_broken(f);
}

static void
test_log_lost(void **context)
{
	struct fixture *f = *context;

	process_start(f->process);
	say(f, MESSAGE_LOG_LOST, 0);
	assert_string_equal(told, "started queue1\nlog-lost queue1\n");
	assert_non_null(f->process->channel);
}

/* It is told once, with the seconds of the first time. */
static void
test_drain(void **context)
{
	struct fixture *f = *context;
	struct message m;
	static unsigned char record[LIMIT_RECORD];

	process_start(f->process);
	process_drain(f->process, 7);
	process_drain(f->process, 9);
	turn(f);
	assert_int_equal(1, record_read(far_end, record, &m, PROGRAM_QUEUE,
				PROGRAM_SUPERVISOR, 0));
	assert_int_equal(MESSAGE_DRAIN, m.type);
	assert_int_equal(7, m.drain.seconds);
	assert_int_equal(-1, record_read(far_end, record, &m, PROGRAM_QUEUE,
				 PROGRAM_SUPERVISOR, MSG_DONTWAIT));
	assert_int_equal(PROCESS_DRAINING, f->process->state);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_ready_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_ready_of_another_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_log_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_drain, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
