/* Who is handled first in the loop of the remote agent. */
#include "test.h"

#include <stdbool.h>
#include <unistd.h>

#include <event2/event.h>

#include "deliver/remote/priority.h"

#define OTHERS 200

static struct event_base *base;
static int ends[2];
static unsigned int others, others_before_fresh;
static bool fresh_came;

static void
on_fresh(evutil_socket_t fd, short what, void *context)
{
	char octet;

	(void)what;
	(void)context;
	assert_int_equal(read(fd, &octet, 1), 1);
	fresh_came = true;
	others_before_fresh = others;
}

/* A few of them have been handled when something comes for the fresh. */
static void
on_other(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	if (++others == 3)
		assert_int_equal(write(ends[1], "x", 1), 1);
}

/* All of those who are ready at once are not a round that must end first. */
static void
test_fresh_does_not_wait_for_a_round(void **unused)
{
	struct event *fresh, *waiting[OTHERS];

	(void)unused;
	base = priority_base_new();
	assert_non_null(base);
	assert_int_equal(pipe(ends), 0);
	fresh = event_new(base, ends[0], EV_READ | EV_PERSIST, on_fresh, NULL);
	assert_int_equal(event_priority_set(fresh, PRIORITY_FRESH), 0);
	assert_int_equal(event_add(fresh, NULL), 0);
	for (unsigned int i = 0; i < OTHERS; i++) {
		waiting[i] = event_new(base, -1, 0, on_other, NULL);
		assert_int_equal(
		    event_priority_set(waiting[i], PRIORITY_OTHER), 0);
		event_active(waiting[i], 0, 0);
	}
	while (others < OTHERS || !fresh_came)
		event_base_loop(base, EVLOOP_NONBLOCK);
	assert_true(others_before_fresh >= 3);
	assert_true(others_before_fresh < OTHERS / 4);
	for (unsigned int i = 0; i < OTHERS; i++)
		event_free(waiting[i]);
	event_free(fresh);
	event_base_free(base);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh_does_not_wait_for_a_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
