/* What the queue tells the supervisor of its remotes. The agents and the
 * supervisor are this test's own, and a period takes no time. */
#include "tests/unit/queue/test.h"

#include <event2/event.h>

#include "common/child.h"
#include "queue/link_agent.h"
#include "queue/remotes.h"
#include "queue/scheduler.h"

struct agent {
	const struct agent_handler *handler;
	void *context;
	bool late, freed;
	unsigned int in_flight;
};

static struct agent agents[4];
static unsigned int agent_count, woken;
static bool refuse;
static char told[200];
static struct event_base *base;

/* -- What remotes.c calls -------------------------------------------------- */

int __real_event_add(struct event *, const struct timeval *);
int __wrap_event_add(struct event *, const struct timeval *);

int
__wrap_event_add(struct event *event, const struct timeval *period)
{
	static const struct timeval soon = { 0, 1000 };

	return __real_event_add(event, period == NULL ? NULL : &soon);
}

struct agent *
agent_new(struct event_base *unused, int fd_take, enum program program,
    unsigned int most, const struct agent_handler *handler, void *context)
{
	struct agent *a = &agents[agent_count];

	(void)unused;
	(void)fd_take;
	assert_int_equal(program, PROGRAM_REMOTE);
	assert_true(most > 0);
	errno = ENOMEM;
	if (refuse)
		return NULL;
	agent_count++;
	a->handler = handler;
	a->context = context;
	return a;
}

void
agent_free(struct agent **pointer)
{
	(*pointer)->freed = true;
	*pointer = NULL;
}

bool
agent_has_room(const struct agent *a)
{
	return !a->freed;
}

int
agent_deliver(struct agent *a, const struct delivery *delivery)
{
	(void)delivery;
	return a->freed ? -1 : 0;
}

unsigned int
agent_in_flight(const struct agent *a)
{
	return a->in_flight;
}

bool
agent_is_late(const struct agent *a, struct monotime since)
{
	assert_true(monotime_ms_between(since, monotime_now()) >= 60 * 60000);
	return a->late;
}

void
scheduler_agent_ready(enum route_kind kind, const char *destination)
{
	assert_int_equal(kind, ROUTE_MX);
	assert_null(destination);
	woken++;
}

static void
note(const char *what, enum program program, uint32_t instance)
{
	size_t length = strlen(told);

	assert_int_equal(program, PROGRAM_REMOTE);
	snprintf(
	    told + length, sizeof(told) - length, "%s %u\n", what, instance);
}

void
child_peer_lost(enum program program, uint32_t instance)
{
	note("lost", program, instance);
}

void
child_peer_hangs(enum program program, uint32_t instance)
{
	note("hangs", program, instance);
}

/* -- Tests ----------------------------------------------------------------- */

static int
set_up(void **context)
{
	(void)context;
	memset(agents, 0, sizeof(agents));
	agent_count = woken = 0;
	refuse = false;
	told[0] = '\0';
	if (base != NULL)
		return 0;
	base = event_base_new();
	return base == NULL || remotes_start(base) == -1 ? -1 : 0;
}

static void
end(struct agent *a)
{
	a->freed = true;
	a->handler->closed(a, a->context);
}

static int
tear_down(void **context)
{
	(void)context;
	for (unsigned int i = 0; i < agent_count; i++)
		if (!agents[i].freed)
			end(&agents[i]);
	return 0;
}

static struct agent *
add(uint32_t instance, uint32_t generation)
{
	struct agent *a = &agents[agent_count];
	struct child_peer peer = { .program = PROGRAM_REMOTE,
		.instance = instance,
		.generation = generation,
		.fd = -1 };

	remotes_add(&peer);
	return a;
}

static enum agent_state
state(void)
{
	struct destination d = { .name = (char[]){ "mx:a.test" } };

	return remotes_ready(&d);
}

static void
watch(void)
{
	assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
}

static void
a_link_that_ends_is_told(void **context)
{
	struct agent *a = add(7, 1);

	(void)context;
	assert_int_equal(state(), AGENT_READY);
	end(a);
	assert_string_equal(told, "lost 7\n");
	/* Its mail waits for the new link. */
	assert_int_equal(state(), AGENT_COMING);
	woken = 0;
	add(7, 1);
	assert_int_equal(woken, 1);
	assert_int_equal(state(), AGENT_READY);
}

static void
a_link_that_cannot_be_taken_is_told(void **context)
{
	(void)context;
	refuse = true;
	add(8, 1);
	assert_string_equal(told, "lost 8\n");
	assert_int_equal(state(), AGENT_COMING);
}

static void
one_that_hangs_is_told_and_let_go(void **context)
{
	struct agent *good = add(9, 1), *bad = add(10, 1);

	(void)context;
	watch();
	assert_string_equal(told, "");
	bad->late = true;
	watch();
	assert_string_equal(told, "hangs 10\n");
	assert_true(bad->freed);
	assert_false(good->freed);
	watch();
	assert_string_equal(told, "hangs 10\n");
}

/* It is to end: nobody makes it a new link. */
static void
one_of_an_older_configuration_is_not_told(void **context)
{
	struct agent *idle = add(11, 1), *busy = add(12, 1);

	(void)context;
	busy->in_flight = 1;
	add(13, 2);
	assert_true(idle->freed);
	assert_false(busy->freed);
	busy->in_flight = 0;
	busy->handler->idle(busy, busy->context);
	assert_true(busy->freed);
	assert_string_equal(told, "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_link_that_ends_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_link_that_cannot_be_taken_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    one_that_hangs_is_told_and_let_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    one_of_an_older_configuration_is_not_told, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
