/* Of very many, the busiest are kept, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ctl/busiest.h"

static struct busiest b;

static void
add(const char *name, uint64_t waiting, uint32_t in_flight)
{
	char lent[LIMIT_DESTINATION + 1];
	struct message_ctl_destination d = {
		.name = lent,
		.waiting = waiting,
		.in_flight = in_flight,
		.reply = lent,
	};

	snprintf(lent, sizeof(lent), "%s", name);
	busiest_add(&b, &d);
	memset(lent, 'x', sizeof(lent)); /* what was lent is gone */
}

static void
orders(void **state)
{
	(void)state;
	memset(&b, 0, sizeof(b));
	add("b", 5, 0);
	add("c", 5, 0);
	add("a", 5, 0);
	add("idle", 0, 0);
	add("flies", 1, 1);
	add("large", 900, 0);
	assert_int_equal(b.count, 6);
	assert_string_equal(busiest_get(&b, 0)->name, "flies");
	assert_string_equal(busiest_get(&b, 1)->name, "large");
	assert_string_equal(busiest_get(&b, 2)->name, "a");
	assert_string_equal(busiest_get(&b, 3)->reply, "b");
	assert_string_equal(busiest_get(&b, 5)->name, "idle");
}

static void
keeps_the_busiest(void **state)
{
	char name[20];

	(void)state;
	memset(&b, 0, sizeof(b));
	/* Each number once, in no order. */
	for (unsigned int i = 0; i < 10007; i++) {
		unsigned int n = i * 5003 % 10007;

		snprintf(name, sizeof(name), "mx:%u", n);
		add(name, n, 0);
	}
	assert_int_equal(b.count, BUSIEST_MOST);
	for (unsigned int i = 0; i < BUSIEST_MOST; i++) {
		snprintf(name, sizeof(name), "mx:%u", 10006 - i);
		assert_string_equal(busiest_get(&b, i)->name, name);
		assert_int_equal(busiest_get(&b, i)->waiting, 10006 - i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(keeps_the_busiest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
