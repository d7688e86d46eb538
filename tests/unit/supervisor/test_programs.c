#include "tests/unit/supervisor/test.h"

#include "common/message.h"
#include "supervisor/programs.h"

static bool
have_something_to_say(enum program a, enum program b)
{
	for (unsigned int type = 1; type < MESSAGE_TYPES; type++)
		if (message_is_allowed((enum message_type)type, a, b))
			return true;
	return false;
}

static const struct program_spec *
spec(size_t i)
{
	size_t count;
	const struct program_spec *list = programs_list(&count);

	return i < count ? &list[i] : NULL;
}

/* The matrix and the message table say the same: who has a message for the
 * other has a link, and who has a link has messages in both directions. */
static void
test_links_are_the_message_table(void **context)
{
	const struct program_spec *a, *b;

	(void)context;
	for (size_t i = 0; (a = spec(i)) != NULL; i++)
		for (size_t j = 0; (b = spec(j)) != NULL; j++)
			assert_int_equal(
			    programs_are_linked(a->program, b->program),
			    have_something_to_say(a->program, b->program));
}

static void
test_links_are_symmetric(void **context)
{
	(void)context;
	for (unsigned int a = 1; a <= PROGRAM_CTL; a <<= 1)
		for (unsigned int b = 1; b <= PROGRAM_CTL; b <<= 1)
			assert_int_equal(programs_are_linked(
					     (enum program)a, (enum program)b),
			    programs_are_linked(
				(enum program)b, (enum program)a));
}

static void
test_strangers_never_reach_the_queue(void **context)
{
	(void)context;
	assert_false(programs_are_linked(PROGRAM_SMTPD, PROGRAM_QUEUE));
	assert_false(programs_are_linked(PROGRAM_SMTPD, PROGRAM_SPAWN));
	assert_false(programs_are_linked(PROGRAM_REMOTE, PROGRAM_SPAWN));
	assert_false(programs_are_linked(PROGRAM_RESOLVER, PROGRAM_QUEUE));
	assert_false(programs_are_linked(PROGRAM_SMTPD, PROGRAM_SMTPD));
}

/* Whoever is waited for has to be gone before those who wait. */
static void
test_order_of_the_end(void **context)
{
	const struct program_spec *p, *other;

	(void)context;
	for (size_t i = 0; (p = spec(i)) != NULL; i++) {
		assert_in_range(p->end_by, 1000, 4800);
		for (size_t j = 0; (other = spec(j)) != NULL; j++) {
			if (((unsigned int)other->program & p->after) == 0)
				continue;
			assert_int_equal(
			    0, other->after & (unsigned int)p->program);
			assert_true(other->end_by < p->end_by);
		}
	}
}

static void
test_workers(void **context)
{
	static const struct {
		unsigned int configured, least, most;
	} rows[] = {
		{ 0, 1, LIMIT_WORKERS },
		{ 1, 1, 1 },
		{ LIMIT_WORKERS, LIMIT_WORKERS, LIMIT_WORKERS },
		{ 100000, LIMIT_WORKERS, LIMIT_WORKERS },
	};
	struct config config = { 0 };

	(void)context;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		config.limit_workers = rows[i].configured;
		assert_in_range(
		    programs_workers(programs_find(PROGRAM_SMTPD), &config),
		    rows[i].least, rows[i].most);
		assert_int_equal(
		    1, programs_workers(programs_find(PROGRAM_QUEUE), &config));
	}
}

/* One queue, four generations: all links fit. */
static void
test_links_fit(void **context)
{
	const struct program_spec *p, *other;

	(void)context;
	for (size_t i = 0; (p = spec(i)) != NULL; i++) {
		unsigned int links = 0;

		for (size_t j = 0; (other = spec(j)) != NULL; j++)
			if (programs_are_linked(p->program, other->program))
				links += other->workers ? LIMIT_WORKERS : 1;
		assert_true(links * (p->lasting ? 4 : 1) <= LIMIT_PEERS);
	}
}

static void
test_find(void **context)
{
	(void)context;
	assert_null(programs_find(PROGRAM_LOCAL));
	assert_null(programs_find(PROGRAM_SUPERVISOR));
	assert_int_equal(
	    PROGRAM_REMOTE, programs_find(PROGRAM_REMOTE)->program);
	/* nothing lies beside this test, so it is the installed one */
	assert_string_equal(LIBEXECDIR "/smtpd", programs_path(PROGRAM_SMTPD));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_are_the_message_table),
		cmocka_unit_test(test_links_are_symmetric),
		cmocka_unit_test(test_strangers_never_reach_the_queue),
		cmocka_unit_test(test_order_of_the_end),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_links_fit),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
