/* The reply to EHLO. */
#include "test.h"

#include "deliver/remote/extensions.h"

static const struct row {
	const char *reply;
	bool pipelining, eight_bit, size;
	uint64_t limit;
} rows[] = {
	{ "250 mx", false, false, false, 0 },
	{ "250-mx\r\n250 PIPELINING", true, false, false, 0 },
	{ "250-mx\r\n250-8bitmime\r\n250 pipelining", true, true, false, 0 },
	{ "250-mx\r\n250 SIZE", false, false, true, 0 },
	{ "250-mx\r\n250 SIZE 0", false, false, true, 0 },
	{ "250-mx\r\n250 SIZE 10240000", false, false, true, 10240000 },
	{ "250-mx\r\n250-SIZE 5\r\n250 8BITMIME x y", false, true, true, 5 },
	{ "250-mx\r\n250 SIZE -1", false, false, true, 0 },
	{ "250-mx\r\n250 SIZE 12x", false, false, true, 0 },
	{ "250-mx\r\n250 SIZE 99999999999999999999999", false, false, true, 0 },
	/* not in the first line, not part of another word */
	{ "250 PIPELINING", false, false, false, 0 },
	{ "250-mx\r\n250-XPIPELINING\r\n250 PIPELININGX", false, false, false,
	    0 },
	{ "250-mx\r\n250", false, false, false, 0 },
	{ "250-mx\r\n250-\r\n250 ", false, false, false, 0 },
};

static void
test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct extensions e;

		memset(&e, 0xff, sizeof(e));
		extensions_read(&e, rows[i].reply, true);
		assert_int_equal(e.pipelining, rows[i].pipelining);
		assert_int_equal(e.eight_bit, rows[i].eight_bit);
		assert_int_equal(e.size, rows[i].size);
		assert_int_equal(e.size_limit, rows[i].limit);
		extensions_read(&e, rows[i].reply, false);
		assert_false(e.pipelining || e.eight_bit || e.size);
	}
}

static void
test_limits(void **unused)
{
	static const struct {
		const char *line;
		uint64_t rcpt_max;
	} limits[] = {
		{ "LIMITS RCPTMAX=20", 20 },
		{ "limits MAILMAX=5 rcptmax=7 RCPTDOMAINMAX=1", 7 },
		{ "LIMITS", 0 },
		{ "LIMITS  ", 0 },
		{ "LIMITS RCPTDOMAINMAX=3", 0 },
		{ "LIMITS RCPTMAX=", 0 },
		{ "LIMITS RCPTMAX=-1", 0 },
		{ "LIMITS RCPTMAX=12x", 0 },
		{ "LIMITS RCPTMAX=99999999999999999999999", 0 },
		{ "XLIMITS RCPTMAX=20", 0 },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(limits); i++) {
		struct extensions e;
		char reply[128];

		snprintf(reply, sizeof(reply), "250-mx\r\n250-%s\r\n250 DSN",
		    limits[i].line);
		extensions_read(&e, reply, true);
		assert_int_equal(e.rcpt_max, limits[i].rcpt_max);
		assert_true(e.dsn);
	}
}

static void
test_dsn(void **unused)
{
	struct extensions e;

	(void)unused;
	extensions_read(&e, "250-mx\r\n250-SIZE\r\n250 dsn", true);
	assert_true(e.dsn && e.size);
	extensions_read(&e, "250-mx\r\n250-XDSN\r\n250 DSNS", true);
	assert_false(e.dsn);
	extensions_read(&e, "250-mx\r\n250 DSN", false);
	assert_false(e.dsn);
}

static void
test_is_host(void **unused)
{
	(void)unused;
	assert_true(extensions_is_host("250 mx.example.org", "mx.example.org"));
	assert_true(extensions_is_host(
	    "250-MX.example.ORG hello\r\n250 SIZE", "mx.example.org"));
	assert_false(extensions_is_host("250 mx.example.or", "mx.example.org"));
	assert_false(
	    extensions_is_host("250 mx.example.org.x", "mx.example.org"));
	assert_false(extensions_is_host("250", "mx.example.org"));
	assert_false(extensions_is_host("250 ", "mx.example.org"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_dsn),
		cmocka_unit_test(test_is_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
