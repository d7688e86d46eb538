/* posternctl stats, destinations and summary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sysexits.h>

#include "tests/unit/ctl/false_queue.h"

static void
counts(void **state)
{
	(void)state;
	assert_int_equal(run(stats_run, 0, ""), EX_OK);
	assert_string_equal(
	    run_out, "           7  accepted\n           2  waiting\n");
	assert_int_equal(run(stats_run, 0, "--json"), EX_OK);
	assert_string_equal(run_out,
	    "{\"name\":\"accepted\",\"value\":7,\"help\":\"messages taken\","
	    "\"type\":\"counter\"}\n"
	    "{\"name\":\"waiting\",\"value\":2,\"help\":\"recipients that "
	    "wait\",\"type\":\"gauge\"}\n");
	assert_int_equal(run(stats_run, 0, "--prometheus"), EX_OK);
	assert_string_equal(run_out,
	    "# HELP postern_queue_accepted_total messages taken\n"
	    "# TYPE postern_queue_accepted_total counter\n"
	    "postern_queue_accepted_total 7\n"
	    "# HELP postern_queue_waiting recipients that wait\n"
	    "# TYPE postern_queue_waiting gauge\n"
	    "postern_queue_waiting 2\n");
	assert_int_equal(run(stats_run, 0, "--prometheus --json"), EX_USAGE);
	assert_non_null(strstr(run_err, "not both"));
	assert_int_equal(run(stats_run, 0, "word"), EX_USAGE);
	assert_non_null(strstr(run_err, "options only, not \"word\""));
}

static void
lists_destinations(void **state)
{
	(void)state;
	assert_int_equal(
	    run(destinations_run, 0, "--destination MX:n0.test"), EX_OK);
	assert_string_equal(run_out,
	    "  12345     0      0      0      1     12m  12m mx:n0.test: "
	    "421 4.3.2 \\x1b[2Jbusy\n");
	assert_int_equal(
	    run(destinations_run, 0, "--json --destination mx:n1.test"), EX_OK);
	assert_string_equal(run_out,
	    "{\"destination\":\"mx:n1.test\",\"waiting\":1,\"held\":2,"
	    "\"failed\":3,\"in_flight\":9,\"deliveries\":2,\"window\":20,"
	    "\"failures\":0,\"backoff_until\":null,"
	    "\"next_try\":\"2026-01-31T23:59:59Z\",\"reply\":\"\",\"paused\":"
	    "false}\n");
	assert_int_equal(run(destinations_run, 0, ""), EX_OK);
	assert_int_equal(run_lines(), MANY);
	assert_int_equal(run(destinations_run, 0, "word"), EX_USAGE);
}

static void
sums_destinations_up(void **state)
{
	(void)state;
	run_ctl.terminal = run_ctl.colour = true;
	run_ctl.width = 28;
	assert_int_equal(
	    run(destinations_run, 0, "--destination mx:n0.test"), EX_OK);
	assert_non_null(strstr(run_out, "WAITING "));
	assert_non_null(strstr(run_out,
	    "\n        mx:n0.test\033[0m\n        421 4.3.2 \\x1b[2J...\n"));
	assert_non_null(
	    strstr(run_out, "\n1 destination, 12345 recipients.\n"));
	assert_int_equal(
	    run(destinations_run, 0, "--destination mx:none.test"), EX_OK);
	assert_string_equal(run_out, "Nothing waits.\n");
	run_ctl.terminal = run_ctl.colour = false;
	run_ctl.width = 0;
}

static void
sums_reasons_up(void **state)
{
	const char *last;

	(void)state;
	assert_int_equal(run(summary_run, 0, ""), EX_OK);
	last =
	    strstr(run_out, "    100000     5s  now waiting   mx:many.test: ");
	assert_non_null(last);
	assert_string_equal(strchr(last, '\n'), "\n");
	assert_non_null(
	    strstr(run_out, "         1     2h   5m waiting   mx:other.test: "
			    "450 4.2.0 not \\x1b[#Jnow\n"));
	assert_int_equal(run(summary_run, 0, "--json --state failed"), EX_OK);
	assert_string_equal(run_out,
	    "{\"recipients\":1,\"oldest\":\"2026-01-31T23:59:54Z\","
	    "\"state\":\"failed\",\"paused\":false,\"destination\":\"relay:"
	    "smart\","
	    "\"reason\":\"550 no \\\"such\\\" \\ufffd\","
	    "\"next_try\":null}\n");
	run_ctl.terminal = true;
	assert_int_equal(run(summary_run, 0, ""), EX_OK);
	assert_non_null(strstr(run_out, "RECIPIENTS OLDEST NEXT STATE"));
	assert_non_null(strstr(run_out, "100003 recipients in 4 groups.\n"));
	assert_int_equal(run(summary_run, 0, "--recipient x@y.test"), EX_OK);
	assert_string_equal(run_out, "Nothing waits.\n");
	run_ctl.terminal = false;
	assert_int_equal(run(summary_run, 0, "--recipient x@y.test"), EX_OK);
	assert_string_equal(run_out, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_destinations),
		cmocka_unit_test(sums_reasons_up),
		cmocka_unit_test(sums_destinations_up),
		cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(
	    tests, false_queue_start, false_queue_stop);
}
