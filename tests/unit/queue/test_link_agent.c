/* The link to an agent: the channel is a real one, the agent at its other end
 * and the scheduler are this test's own. */
#include <sys/socket.h>

#include <fcntl.h>
#include <time.h>

#include <event2/event.h>

#include "common/record.h"
#include "queue/commit.h"
#include "queue/delivery.h"
#include "queue/flight.h"
#include "queue/link_agent.h"
#include "queue/scheduler.h"
#include "tests/unit/queue/test.h"

#define ROOM 8

static struct event_base *base;
static struct agent *agent;
static int far_end;
static enum program far_program;
static struct destination destination;
static struct flight flights[ROOM];
static unsigned int reported, lost, ended, closed, idle;

/* -- What link_agent.c calls ----------------------------------------------- */

void
scheduler_report(struct flight *f, const struct lifecycle_report *report)
{
	(void)f;
	(void)report;
	reported++;
}

void
scheduler_lost(struct flight *f)
{
	(void)f;
	lost++;
}

void
scheduler_delivery_end(struct destination *d, uint64_t size, bool agent_lost)
{
	(void)size;
	(void)agent_lost;
	assert_ptr_equal(d, &destination);
	ended++;
}

void
commit_tried(const struct lifecycle_report *report)
{
	(void)report;
}

static void
on_closed(struct agent *a, void *context)
{
	(void)context;
	assert_ptr_equal(a, agent);
	agent = NULL; /* frees itself */
	closed++;
}

static void
on_idle(struct agent *a, void *context)
{
	(void)a;
	(void)context;
	idle++;
}

/* -- Both ends ------------------------------------------------------------- */

static void
begin(enum program program)
{
	static const struct agent_handler handler = {
		.closed = on_closed,
		.idle = on_idle,
	};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	far_end = ends[1];
	far_program = program;
	agent = agent_new(base, ends[0], program, ROOM, &handler, NULL);
	assert_non_null(agent);
}

static int
set_up(void **state)
{
	static char name[] = "mx:example.com";

	(void)state;
	reported = lost = ended = closed = idle = 0;
	destination.name = name;
	destination.kind = ROUTE_MX;
	base = event_base_new();
	return base == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	agent_free(&agent);
	close(far_end);
	event_base_free(base);
	return 0;
}

/* Gives it one message, and returns the handle that it got. */
static uint32_t
give(unsigned int number)
{
	static uint8_t record[LIMIT_RECORD];
	static struct delivery d;
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);
	uint32_t handle;

	d.destination = &destination;
	d.message.sender = d.message.envid = "";
	d.recipients[0].address = d.recipients[0].original = "u@example.com";
	d.recipients[0].name = d.recipients[0].orcpt = "";
	d.flights[0] = &flights[number];
	d.count = 1;
	d.fd = open("/dev/null", O_RDONLY);
	assert_int_not_equal(d.fd, -1);
	assert_int_equal(agent_deliver(agent, &d), 0);
	assert_int_equal(
	    record_read(far_end, record, &m, far_program, PROGRAM_QUEUE, 0), 1);
	assert_int_equal(m.type, MESSAGE_DELIVER);
	close(message_take_fd(&m));
	handle = m.handle;
	assert_int_equal(
	    record_read(far_end, record, &m, far_program, PROGRAM_QUEUE, 0), 1);
	assert_int_equal(m.type, MESSAGE_DELIVER_TO);
	return handle;
}

static void
run(void)
{
	assert_int_not_equal(event_base_loop(base, EVLOOP_NONBLOCK), -1);
}

static void
report(uint32_t handle)
{
	struct message m = MESSAGE_INIT(MESSAGE_REPORT, handle);

	m.report.outcome = REPORT_DELIVERED;
	m.report.host = m.report.reply = m.report.name = "";
	m.report.address = m.report.tls_version = m.report.tls_cipher = "";
	assert_int_equal(record_write(far_end, &m, 0), 0);
	run();
}

/* A time that is later than all before and earlier than all that follows. */
static struct monotime
now(void)
{
	static const struct timespec moment = { .tv_nsec = 1000 };
	struct monotime time;

	nanosleep(&moment, NULL);
	time = monotime_now();
	nanosleep(&moment, NULL);
	return time;
}

/* -- Tests ----------------------------------------------------------------- */

/* What a mailbox's worker has not begun is not what it hangs with. */
static void
test_a_worker_takes_one_after_the_other(void **state)
{
	uint32_t first, second;
	struct monotime given, heard;

	(void)state;
	begin(PROGRAM_LOCAL);
	first = give(0);
	second = give(1);
	given = now();
	assert_true(agent_is_late(agent, given));
	report(first);
	assert_int_equal(reported, 1);
	heard = now();
	assert_false(agent_is_late(agent, given));
	assert_true(agent_is_late(agent, heard));
	/* The third was given after that, and is not late before the second. */
	give(2);
	assert_true(agent_is_late(agent, heard));
	report(second);
	assert_false(agent_is_late(agent, heard));
	assert_true(agent_is_late(agent, now()));
}

/* A remote agent has all of them under way: one that hangs is not hidden by
 * others that do not. */
static void
test_a_remote_has_all_under_way(void **state)
{
	struct monotime given;
	uint32_t second;

	(void)state;
	begin(PROGRAM_REMOTE);
	give(0);
	second = give(1);
	given = now();
	report(second);
	assert_int_equal(reported, 1);
	assert_true(agent_is_late(agent, given));
}

/* Reports about nothing are dropped, and whoever sends many is not heard any
 * more: the log is not theirs to fill. */
static void
test_an_agent_that_babbles(void **state)
{
	uint32_t handle;
	unsigned int sent = 0;

	(void)state;
	begin(PROGRAM_REMOTE);
	handle = give(0);
	report(handle + 1);
	assert_non_null(agent);
	assert_int_equal(reported, 0);
	report(handle);
	assert_int_equal(reported, 1);
	assert_int_equal(idle, 1);
	handle = give(1);
	while (agent != NULL && sent++ < 1000)
		report(handle + 1);
	assert_in_range(sent, 10, 100);
	assert_int_equal(closed, 1);
	assert_int_equal(lost, 1);
	assert_int_equal(ended, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_worker_takes_one_after_the_other),
		TEST(test_a_remote_has_all_under_way),
		TEST(test_an_agent_that_babbles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
