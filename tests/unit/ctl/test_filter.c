#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/mail.h"
#include "ctl/filter.h"
#include "ctl/nearest.h"

static void
durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} good[] = {
		{ "0", 0 },
		{ "90", 90 },
		{ "90s", 90 },
		{ "5m", 300 },
		{ "1h30m", 5400 },
		{ "1w2d3h4m5s", 788645 },
		{ "36500d", UINT64_C(36500) * 86400 },
	};
	static const char *const bad[] = { "", "h", "1x", "-1h", "+1h", " 1h",
		"1h ", "1h30", "1m1h", "1m1m", "1.5h", "1 h", "36501d",
		"18446744073709551616s", "99999999999999999999999", "30500w" };
	uint64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		seconds = UINT64_MAX;
		assert_int_equal(
		    filter_parse_duration(good[i].text, &seconds), 0);
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(filter_parse_duration(bad[i], &seconds), -1);
}

static void
states(void **state)
{
	uint8_t number = 0;

	(void)state;
	assert_int_equal(filter_parse_state("waiting", &number), 0);
	assert_int_equal(number, RECIPIENT_WAITING + 1);
	assert_int_equal(filter_parse_state("held", &number), 0);
	assert_int_equal(number, RECIPIENT_HELD + 1);
	assert_int_equal(filter_parse_state("failed", &number), 0);
	assert_int_equal(number, RECIPIENT_FAILED + 1);
	assert_int_equal(filter_parse_state("", &number), -1);
	assert_int_equal(filter_parse_state("unknown", &number), -1);
	assert_int_equal(filter_parse_state("Held", &number), -1);
}

static void
everything(void **state)
{
	struct filter f = FILTER_EVERYTHING;

	(void)state;
	assert_true(filter_is_everything(&f));
	f.state = RECIPIENT_WAITING + 1;
	assert_false(filter_is_everything(&f));
	f.state = 0;
	f.age = 1;
	assert_false(filter_is_everything(&f));
	f.age = 0;
	f.size = 1;
	assert_false(filter_is_everything(&f));
	f.size = 0;
	f.reply = "x";
	assert_false(filter_is_everything(&f));
}

static void
nearest(void **state)
{
	const char *best = NULL;

	(void)state;
	assert_int_equal(nearest_distance("", ""), 0);
	assert_int_equal(nearest_distance("queue", "queue"), 0);
	assert_int_equal(nearest_distance("quue", "queue"), 1);
	assert_int_equal(nearest_distance("hodl", "hold"), 1);
	assert_int_equal(nearest_distance("", "hold"), 4);
	nearest_consider("xyzzy", "queue", &best);
	assert_null(best);
	nearest_consider("shwo", "show", &best);
	assert_string_equal(best, "show");
	nearest_consider("shwo", "stats", &best);
	assert_string_equal(best, "show");
	best = NULL;
	nearest_consider(
	    "a word that is much longer than any that there is", "show", &best);
	assert_null(best);
}

static void
sizes(void **state)
{
	static const char *const bad[] = { "", "K", "0", "0K", "-1", "1k",
		"1KB", "1 K", "1.5M", "99999999999999999999", "x" };
	uint64_t octets;

	(void)state;
	assert_int_equal(filter_parse_size("1", &octets), 0);
	assert_int_equal(octets, 1);
	assert_int_equal(filter_parse_size("10K", &octets), 0);
	assert_int_equal(octets, 10240);
	assert_int_equal(filter_parse_size("3M", &octets), 0);
	assert_int_equal(octets, 3145728);
	assert_int_equal(filter_parse_size("2T", &octets), 0);
	assert_int_equal(octets, UINT64_C(2199023255552));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(filter_parse_size(bad[i], &octets), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(states),
		cmocka_unit_test(everything),
		cmocka_unit_test(nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
