#include "tests/unit/supervisor/test.h"

#include <event2/event.h>

#include "supervisor/drain.h"
#include "supervisor/generation.h"
#include "supervisor/process.h"

/* The processes of this test only write down what becomes of them. */
static char told[400];

static void
note(const char *what, const struct process *p)
{
	size_t length = strlen(told);

	snprintf(told + length, sizeof(told) - length, "%s %s%u\n", what,
	    program_name(p->spec->program), p->generation->number);
}

void
process_drain(struct process *p, uint32_t seconds)
{
	p->state = PROCESS_DRAINING;
	assert_in_range(seconds, 1, DRAIN_RELOAD_SECONDS);
	note("drain", p);
}

void
process_kill_in(struct process *p, int64_t milliseconds)
{
	(void)p;
	assert_in_range(milliseconds, 1, DRAIN_RELOAD_SECONDS * 1000 + 1000);
}

void
process_kill(struct process *p, const char *why)
{
	(void)why;
	note("kill", p);
}

void
process_free(struct process **p)
{
	note("free", *p);
	TAILQ_REMOVE(&(*p)->house->processes, *p, next);
	free(*p);
	*p = NULL;
}

void
generation_sweep(struct house *house)
{
	(void)house;
}

static struct process *
add(struct house *house, struct generation *g, enum program program)
{
	struct process *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->house = house;
	p->spec = programs_find(program);
	p->generation = g;
	p->state = PROCESS_READY;
	p->pid = 1;
	TAILQ_INSERT_TAIL(&house->processes, p, next);
	return p;
}

static void
fill(struct house *house, struct generation *g, unsigned int number)
{
	static const enum program order[] = { PROGRAM_RESOLVER, PROGRAM_SPAWN,
		PROGRAM_REMOTE, PROGRAM_ROUTER, PROGRAM_SMTPD };

	g->number = number;
	TAILQ_INSERT_TAIL(&house->generations, g, next);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		(void)add(house, g, order[i]);
}

static struct process *
find(struct house *house, enum program program, unsigned int generation)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next)
		if (p->spec->program == program &&
		    p->generation->number == generation)
			return p;
	fail_msg("no %s in generation %u", program_name(program), generation);
	abort();
}

/* It exits, as process_ended() would tell. */
static void
die(struct house *house, enum program program, unsigned int generation)
{
	struct process *p = find(house, program, generation);

	p->pid = 0;
	p->state = PROCESS_WAITING;
	told[0] = '\0';
	drain_step(house);
}

static int
set_up(void **context)
{
	static struct house house;

	memset(&house, 0, sizeof(house));
	TAILQ_INIT(&house.processes);
	TAILQ_INIT(&house.generations);
	house.base = event_base_new();
	told[0] = '\0';
	*context = &house;
	return house.base == NULL ? -1 : 0;
}

static int
tear_down(void **context)
{
	struct house *house = *context;
	struct process *p, *following;

	TAILQ_FOREACH_SAFE (p, &house->processes, next, following)
		process_free(&p);
	event_base_free(house->base);
	return 0;
}

static void
test_house(void **context)
{
	struct house *house = *context;
	struct generation one = { 0 };

	fill(house, &one, 1);
	(void)add(house, &one, PROGRAM_QUEUE);
	drain_house(house);
	assert_string_equal(told, "drain smtpd1\ndrain queue1\n");
	die(house, PROGRAM_SMTPD, 1);
	assert_string_equal(told, "free smtpd1\ndrain router1\n");
	die(house, PROGRAM_ROUTER, 1);
	assert_string_equal(told, "free router1\n");
	die(house, PROGRAM_QUEUE, 1);
	assert_string_equal(told, "free queue1\ndrain spawn1\ndrain remote1\n");
	die(house, PROGRAM_REMOTE, 1);
	assert_string_equal(told, "free remote1\ndrain resolver1\n");
	assert_false(event_base_got_break(house->base));
	die(house, PROGRAM_SPAWN, 1);
	die(house, PROGRAM_RESOLVER, 1);
	assert_true(TAILQ_EMPTY(&house->processes));
}

/* A reload drains one generation; the queue and the other one go on. */
static void
test_generation(void **context)
{
	struct house *house = *context;
	struct generation one = { 0 }, two = { 0 };

	fill(house, &one, 1);
	fill(house, &two, 2);
	(void)add(house, &two, PROGRAM_QUEUE);
	(void)add(house, &one, PROGRAM_SMTPD);
	drain_generation(&one, house);
	assert_string_equal(
	    told, "drain spawn1\ndrain remote1\ndrain smtpd1\ndrain smtpd1\n");
	die(house, PROGRAM_SMTPD, 1);
	assert_string_equal(told, "free smtpd1\n");
	die(house, PROGRAM_SMTPD, 1);
	assert_string_equal(told, "free smtpd1\ndrain router1\n");
	die(house, PROGRAM_SPAWN, 1);
	die(house, PROGRAM_REMOTE, 1);
	assert_string_equal(told, "free remote1\n");
	die(house, PROGRAM_ROUTER, 1);
	assert_string_equal(told, "free router1\ndrain resolver1\n");
	die(house, PROGRAM_RESOLVER, 1);
	assert_int_equal(PROCESS_READY, find(house, PROGRAM_QUEUE, 2)->state);
	assert_int_equal(PROCESS_READY, find(house, PROGRAM_SMTPD, 2)->state);
}

/* Those that wait for their back-off do not come back. */
static void
test_waiting_are_forgotten(void **context)
{
	struct house *house = *context;
	struct generation one = { 0 };
	struct process *smtpd;

	fill(house, &one, 1);
	smtpd = find(house, PROGRAM_SMTPD, 1);
	smtpd->pid = 0;
	smtpd->state = PROCESS_WAITING;
	drain_house(house);
	assert_string_equal(
	    told, "free smtpd1\ndrain spawn1\ndrain remote1\ndrain router1\n");
}

static void
test_who_is_concerned(void **context)
{
	struct house *house = *context;
	struct generation one = { 0 };
	struct process *smtpd, *queue;

	fill(house, &one, 1);
	queue = add(house, &one, PROGRAM_QUEUE);
	smtpd = find(house, PROGRAM_SMTPD, 1);
	assert_false(drain_concerns(smtpd));
	one.draining = true;
	assert_true(drain_concerns(smtpd));
	assert_false(drain_concerns(queue));
	house->stopping = true;
	assert_true(drain_concerns(queue));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_house, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_generation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_waiting_are_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_who_is_concerned, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
