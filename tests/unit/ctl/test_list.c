/* posternctl queue, as text and as JSON, and on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sysexits.h>

#include "common/mail.h"

#include "tests/unit/ctl/false_queue.h"

static void
lists(void **state)
{
	char line[512];

	(void)state;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	snprintf(line, sizeof(line),
	    "%s   2h  4.1K waiting      3   5m alice@here.test -> "
	    "bob@other.test (mx:other.test): "
	    "450-4.2.0 not / 450 4.2.0 \\x1b[2Jnow\n",
	    id_text(0));
	assert_string_equal(run_out, line);
	assert_string_equal(run_err, "");
}

static void
lists_json(void **state)
{
	char line[512];

	(void)state;
	assert_int_equal(run(list_run, 0, "--json --state failed"), EX_OK);
	snprintf(line, sizeof(line),
	    "{\"id\":\"%s\",\"arrival\":\"2026-01-31T23:59:54Z\",\"size\":11,"
	    "\"sender\":\"\",\"number\":0,\"recipient\":\"dave@far.test\","
	    "\"original\":\"dave@far.test\",\"route\":\"relay\","
	    "\"name\":\"smart\",\"user\":\"\",\"destination\":\"relay:smart\","
	    "\"state\":\"failed\",\"in_flight\":false,\"attempts\":1,"
	    "\"next_try\":null,\"host\":\"\","
	    "\"reply\":\"550 no \\\"such\\\" \\ufffd\","
	    "\"notify\":\"\",\"orcpt\":\"\",\"paused\":false}\n",
	    id_text(2));
	assert_string_equal(run_out, line);
}

static void
lists_bounces(void **state)
{
	(void)state;
	assert_int_equal(run(list_run, 0, "--sender <> --state failed"), EX_OK);
	assert_non_null(strstr(run_out, " <> -> dave@far.test"));
	assert_int_equal(run(list_run, 0, "--sender <> --state held"), EX_OK);
	assert_string_equal(run_out, "");
	assert_int_equal(
	    run(act_run, CTL_VERB_RELEASE, "--sender <> --state held"), EX_OK);
	assert_string_equal(run_out, "0 recipients released\n");
}

static void
lists_very_many(void **state)
{
	(void)state;
	assert_int_equal(run(list_run, 0, ""), EX_OK);
	assert_int_equal(run_lines(), SPECIAL + MANY);
}

static void
takes_no_word(void **state)
{
	(void)state;
	assert_int_equal(run(list_run, 0, "nonsense"), EX_USAGE);
	assert_non_null(strstr(run_err, "options only, not \"nonsense\"\n"));
	assert_null(strstr(run_err, "trace"));
	assert_int_equal(run(list_run, 0, id_text(0)), EX_USAGE);
	assert_non_null(strstr(run_err, "why, show and trace\n"));
}

static void
sums_up_on_a_terminal(void **state)
{
	(void)state;
	run_ctl.terminal = run_ctl.colour = true;
	run_ctl.width = 80;
	assert_int_equal(run(list_run, 0, "--state failed"), EX_OK);
	assert_non_null(strstr(run_out, "ID "));
	assert_non_null(strstr(run_out, "\033[31mfailed"));
	assert_non_null(
	    strstr(run_out, "\n1 recipient of 1 message, 11 octets.\n"));
	assert_null(strstr(run_out, "LAST REPLY"));
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out,
	    " alice@here.test\n    -> bob@other.test (mx:other.test): "
	    "450-4.2.0 not / 450 4.2.0 \\x1b[2Jnow\n"));
	run_ctl.width = 96;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out,
	    " alice@here.test -> bob@other.test (mx:other.test)\n"
	    "    450-4.2.0 not / 450 4.2.0 \\x1b[2Jnow\n"));
	run_ctl.width = 40;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out,
	    " alice@here.test\n    -> bob@other.test (mx:other.test)\n"
	    "    450-4.2.0 not / 450 4.2.0 \\x1b[2Jnow\n"));
	run_ctl.width = 34;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(
	    strstr(run_out, "\n    alice@here.test\n    -> bob@other.test\n"
			    "    (mx:other.test): 450-4.2.0 ...\n"));
	run_ctl.width = 120;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out, "LAST REPLY"));
	assert_non_null(strstr(run_out, "): 450-4.2.0 "));
	assert_non_null(strstr(run_out, "...\n1 recipient"));
	assert_int_equal(
	    strcspn(strchr(run_out, '\n') + 1, "\n"), 120 + strlen("\033[0m"));
	assert_int_equal(run(list_run, 0, "--recipient x@y.test"), EX_OK);
	assert_string_equal(run_out, "Nothing waits.\n");
	run_ctl.terminal = run_ctl.colour = false;
	run_ctl.width = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(lists_json),
		cmocka_unit_test(lists_bounces),
		cmocka_unit_test(lists_very_many),
		cmocka_unit_test(takes_no_word),
		cmocka_unit_test(sums_up_on_a_terminal),
	};

	return cmocka_run_group_tests(
	    tests, false_queue_start, false_queue_stop);
}
