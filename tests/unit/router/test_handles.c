#include "tests/unit/router/test.h"

#include "router/handles.h"

static struct handles handles;
static int one, two;

static int
set_up(void **context)
{
	(void)context;
	handles_init(&handles);
	return 0;
}

static void
a_handle_finds_its_thing(void **context)
{
	uint32_t first = handles_take(&handles, &one);
	uint32_t second = handles_take(&handles, &two);

	(void)context;
	assert_int_not_equal(first, second);
	assert_ptr_equal(handles_find(&handles, first), &one);
	assert_ptr_equal(handles_find(&handles, second), &two);
	assert_false(handles_are_idle(&handles));
	handles_leave(&handles, first);
	assert_null(handles_find(&handles, first));
	assert_ptr_equal(handles_find(&handles, second), &two);
	handles_leave(&handles, second);
	assert_true(handles_are_idle(&handles));
}

/* The place is used again; who held it before cannot reach it. */
static void
a_late_handle_finds_nothing(void **context)
{
	uint32_t late = handles_take(&handles, &one), now;

	(void)context;
	handles_leave(&handles, late);
	now = handles_take(&handles, &two);
	assert_int_equal(late % LIMIT_STORING, now % LIMIT_STORING);
	assert_null(handles_find(&handles, late));
	assert_ptr_equal(handles_find(&handles, now), &two);
}

static void
an_invented_handle_finds_nothing(void **context)
{
	uint32_t taken = handles_take(&handles, &one);

	(void)context;
	for (uint32_t h = 0; h < 3 * LIMIT_STORING; h++)
		if (h != taken)
			assert_null(handles_find(&handles, h));
	assert_null(handles_find(&handles, UINT32_MAX));
	assert_null(handles_find(&handles, taken + LIMIT_STORING));
}

static void
there_are_as_many_as_the_limit(void **context)
{
	static uint32_t taken[LIMIT_STORING];

	(void)context;
	for (unsigned int i = 0; i < LIMIT_STORING; i++) {
		assert_false(handles_are_full(&handles));
		taken[i] = handles_take(&handles, &taken[i]);
	}
	assert_true(handles_are_full(&handles));
	for (unsigned int i = 0; i < LIMIT_STORING; i++)
		assert_ptr_equal(handles_find(&handles, taken[i]), &taken[i]);
	handles_leave(&handles, taken[7]);
	assert_false(handles_are_full(&handles));
	for (unsigned int i = 0; i < LIMIT_STORING; i++)
		if (i != 7)
			handles_leave(&handles, taken[i]);
	assert_true(handles_are_idle(&handles));
}

/* The generation goes round after a million uses of a place. */
static void
generations_go_round(void **context)
{
	uint32_t before;

	(void)context;
	for (unsigned int i = 0; i < LIMIT_STORING; i++)
		handles.places[i].used = UINT32_MAX / LIMIT_STORING;
	before = handles_take(&handles, &one);
	assert_true(before < LIMIT_STORING);
	assert_ptr_equal(handles_find(&handles, before), &one);
	handles_leave(&handles, before);
	assert_null(handles_find(&handles, before));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_handle_finds_its_thing, set_up),
		cmocka_unit_test_setup(a_late_handle_finds_nothing, set_up),
		cmocka_unit_test_setup(
		    an_invented_handle_finds_nothing, set_up),
		cmocka_unit_test_setup(there_are_as_many_as_the_limit, set_up),
		cmocka_unit_test_setup(generations_go_round, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
