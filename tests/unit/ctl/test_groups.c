/* Counting, and the bound on what is counted apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "ctl/groups.h"

static void
counts_and_sorts(void **state)
{
	struct groups *g = groups_new(10);
	struct group **sorted;
	size_t count;

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		groups_add(g, "waiting", "mx:b", "full", 1, 100 - i,
		    i == 0 ? 0 : 50 + i);
	groups_add(g, "waiting", "mx:b", "busy", 1, 7, 0);
	groups_add(g, "held", "mx:b", "full", 2, 8, 0);
	groups_add(g, "waiting", "mx:a", "busy", 1, 9, 0);
	sorted = groups_sort(g, &count);
	assert_int_equal(count, 4);
	assert_string_equal(sorted[0]->destination, "mx:a");
	assert_string_equal(sorted[1]->reason, "busy");
	assert_string_equal(sorted[2]->state, "held");
	assert_int_equal(sorted[3]->count, 5);
	assert_int_equal(sorted[3]->oldest, 96);
	assert_int_equal(sorted[3]->next_try, 51);
	assert_int_equal(sorted[0]->next_try, 0);
	assert_int_equal(groups_others(g)->count, 0);
	groups_free(&g);
	assert_null(g);
	groups_free(&g);
}

static void
is_bounded(void **state)
{
	struct groups *g = groups_new(3);
	char name[20];
	size_t count;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "mx:%u", i);
		groups_add(g, "waiting", name, "", 1, 1000 - i, 0);
	}
	groups_add(g, "waiting", "mx:0", "", 1, 2000, 0);
	assert_int_equal(groups_sort(g, &count)[2]->count, 2);
	assert_int_equal(count, 3);
	assert_int_equal(groups_others(g)->count, 997);
	assert_int_equal(groups_others(g)->oldest, 1);
	groups_free(&g);
}

static void
gives_a_reason_to_those_without(void **state)
{
	struct groups *g = groups_new(2);
	struct group **sorted;
	size_t count;

	(void)state;
	groups_add(g, "waiting", "mx:a", "", 4, 30, 77);
	groups_add(g, "waiting", "mx:a", "down", 1, 20, 0);
	groups_give_reason(g, "waiting", "mx:b", "down");
	groups_give_reason(g, "held", "mx:a", "down");
	groups_give_reason(g, "waiting", "mx:a", "");
	groups_sort(g, &count);
	assert_int_equal(count, 2);
	groups_give_reason(g, "waiting", "mx:a", "down");
	sorted = groups_sort(g, &count);
	assert_int_equal(count, 1);
	assert_int_equal(sorted[0]->count, 5);
	assert_int_equal(sorted[0]->oldest, 20);
	assert_int_equal(sorted[0]->next_try, 77);
	/* And to one that had no such group yet, with no place to spare. */
	groups_add(g, "waiting", "mx:c", "", 9, 10, 0);
	groups_give_reason(g, "waiting", "mx:c", "slow");
	sorted = groups_sort(g, &count);
	assert_int_equal(count, 2);
	assert_string_equal(sorted[1]->reason, "slow");
	assert_int_equal(groups_others(g)->count, 0);
	groups_free(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_and_sorts),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(gives_a_reason_to_those_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
