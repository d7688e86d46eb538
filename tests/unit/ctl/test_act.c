/* posternctl retry, hold, release, remove, redirect, pause and resume. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sysexits.h>

#include <bsd/string.h>

#include "common/mail.h"
#include "common/record.h"

#include "tests/unit/ctl/false_queue.h"

static void
pauses(void **state)
{
	(void)state;
	assert_int_equal(run(pause_run, 0, ""), EX_USAGE);
	assert_int_equal(run(pause_run, 0, "--all mx:other.test"), EX_USAGE);
	assert_int_equal(run(pause_run, 0, "other.test"), EX_DATAERR);
	assert_int_equal(run(pause_run, 0, "mx:$(x)"), EX_DATAERR);
	assert_non_null(strstr(run_err, "mx:DOMAIN"));
	assert_int_equal(run(pause_run, 0, "mx:full.test"), EX_UNAVAILABLE);
	/* Not "was paused already". */
	assert_int_equal(run(pause_run, 0, "mx:broken.test"), EX_TEMPFAIL);
	assert_string_equal(run_out, "");
	assert_non_null(strstr(run_err, "nothing has changed, "));
	assert_int_equal(run(pause_run, 0, "mx:other.test"), EX_OK);
	assert_string_equal(run_out, "mx:other.test is paused\n");
	assert_int_equal(run(pause_run, 0, "mx:other.test --json"), EX_OK);
	assert_string_equal(run_out,
	    "{\"verb\":\"test\",\"destination\":\"mx:other.test\","
	    "\"changed\":false}\n");
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out, " paused       3    - alice@"));
	assert_int_equal(run(why_run, 0, id_text(0)), EX_OK);
	assert_non_null(
	    strstr(run_out, "until \"posternctl resume mx:other.test\""));
	assert_int_equal(run(pause_run, 0, "--all"), EX_OK);
	assert_string_equal(run_out, "all delivery is paused\n");
	assert_int_equal(run(why_run, 0, id_text(0)), EX_OK);
	assert_non_null(strstr(run_out, "until \"posternctl resume --all\""));
	/* One that is held is not said to be paused. */
	assert_non_null(strstr(run_out, "is held, until"));
	assert_int_equal(run(pause_run, 1, "--all"), EX_OK);
	assert_string_equal(run_out, "all delivery is resumed\n");
	assert_non_null(strstr(run_err, "1 destination is still paused"));
	assert_int_equal(run(pause_run, 0, "--all"), EX_OK);
	assert_int_equal(run(pause_run, 1, "mx:other.test"), EX_OK);
	assert_non_null(strstr(run_err, "all delivery is paused"));
	assert_int_equal(run(pause_run, 1, "--all"), EX_OK);
	assert_string_equal(run_err, "");
	assert_int_equal(run(pause_run, 1, "mx:other.test"), EX_OK);
	assert_string_equal(run_out, "mx:other.test was not paused\n");
}

static void
acts(void **state)
{
	char words[64];

	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_HOLD, ""), EX_USAGE);
	assert_non_null(strstr(run_err, "--all"));
	snprintf(words, sizeof(words), "--all %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_HOLD, words), EX_USAGE);
	/* Which of them would be meant? */
	assert_int_equal(
	    run(act_run, CTL_VERB_HOLD, "--all --recipient bob@other.test"),
	    EX_USAGE);
	assert_non_null(strstr(run_err, "not both"));
	/* One of the two is held already. */
	assert_int_equal(run(act_run, CTL_VERB_HOLD, id_text(0)), EX_OK);
	assert_string_equal(run_out, "1 recipient held\n");
	assert_non_null(strstr(run_err, "1 recipient is unchanged"));
	assert_int_equal(run(act_run, CTL_VERB_RELEASE, id_text(0)), EX_OK);
	assert_string_equal(run_out, "2 recipients released\n");
	assert_string_equal(run_err, "");
	/* The others are served although one is unknown. */
	snprintf(words, sizeof(words), "%s ", id_text(MANY + 99));
	strlcat(words, id_text(2), sizeof(words));
	assert_int_equal(run(act_run, CTL_VERB_REMOVE, words), EX_NOINPUT);
	assert_string_equal(run_out, "1 recipient removed\n");
	/* Nothing is done if one is not an id. */
	snprintf(words, sizeof(words), "%s nonsense", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REMOVE, words), EX_DATAERR);
	assert_int_equal(run(why_run, 0, id_text(0)), EX_OK);
}

static void
acts_on_all(void **state)
{
	(void)state;
	assert_int_equal(
	    run(act_run, CTL_VERB_RETRY, "--recipient user@many.test --json"),
	    EX_OK);
	assert_string_equal(
	    run_out, "{\"verb\":\"test\",\"recipients\":100000}\n");
}

/* Each makes a report, which the same filter would find. */
static void
leaves_what_has_come_since(void **state)
{
	(void)state;
	assert_int_equal(
	    run(act_run, CTL_VERB_BOUNCE, "--recipient user@many.test"), EX_OK);
	assert_string_equal(run_out,
	    "100000 recipients given up, with a report to the sender\n");
}

static void
redirects(void **state)
{
	char words[128], wanted[128];

	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, id_text(0)), EX_USAGE);
	assert_non_null(strstr(run_err, "needs --to"));
	snprintf(words, sizeof(words), "--to nonsense@ %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_USAGE);
	/* Two recipients of one message: one new message. */
	snprintf(words, sizeof(words), "--to x@new.test %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_OK);
	snprintf(wanted, sizeof(wanted), "%s is now ", id_text(0));
	assert_int_equal(strncmp(run_out, wanted, strlen(wanted)), 0);
	assert_non_null(strstr(run_out, "\n2 recipients redirected\n"));
	assert_string_equal(run_err, "");
	/* What goes there already is left. */
	snprintf(
	    words, sizeof(words), "--to BOB@other.test --json %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_OK);
	assert_non_null(strstr(run_out, ",\"recipients\":1,\"code\":250,"));
	assert_non_null(strstr(run_err, "1 recipient is unchanged"));
	snprintf(words, sizeof(words), "--to bob@other.test --dry-run %s",
	    id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_OK);
	assert_non_null(strstr(run_out, "\n1 recipient would be redirected\n"));
	snprintf(
	    words, sizeof(words), "--to x@new.test %s", id_text(MANY + 99));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_NOINPUT);
}

static void
tells_who_is_not_redirected(void **state)
{
	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT,
			     "--to nobody@new.test --recipient bob@other.test"),
	    EX_UNAVAILABLE);
	assert_string_equal(run_out, "0 recipients redirected\n");
	assert_non_null(strstr(run_err, ": 550 5.1.1 "));
	assert_null(strchr(run_err, '\033'));
	assert_non_null(strstr(run_err, "1 recipient was not redirected"));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT,
			     "--to busy@new.test --recipient bob@other.test"),
	    EX_TEMPFAIL);
	assert_non_null(strstr(run_err, ": 451 4.3.2 It is being delivered"));
}

static void
redirects_very_many(void **state)
{
	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT,
			     "--to x@new.test --recipient user@many.test"),
	    EX_OK);
	assert_int_equal(run_lines(), MANY + 1);
	assert_non_null(strstr(run_out, "\n100000 recipients redirected\n"));
}

/* A question without an address, and one where there should be none. */
static void
wants_an_address(void **state)
{
	struct message act = MESSAGE_INIT(MESSAGE_CTL_ACT, 1);
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);
	static uint8_t record[LIMIT_RECORD];
	int fd = false_queue_dial();

	(void)state;
	act.ctl_act.verb = CTL_VERB_REDIRECT;
	act.ctl_act.to = "x y@z\r\n";
	assert_int_equal(record_write(fd, &act, 0), 0);
	assert_int_equal(
	    record_read(fd, record, &m, PROGRAM_CTL, PROGRAM_QUEUE, 0), 1);
	assert_int_equal(m.type, MESSAGE_CTL_END);
	assert_int_equal(m.ctl_end.code, EX_DATAERR);
	act.ctl_act.verb = CTL_VERB_REMOVE;
	act.ctl_act.to = "x@new.test";
	assert_int_equal(record_write(fd, &act, 0), 0);
	false_queue_expect_closed(fd);
}

static void
tries_dry(void **state)
{
	char words[64];

	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_REMOVE,
			     "--dry-run --recipient bob@other.test"),
	    EX_OK);
	assert_non_null(strstr(run_out, "-> bob@other.test"));
	assert_non_null(strstr(run_out, "\n1 recipient would be removed\n"));
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out, "bob@other.test"));
	/* Of two recipients one is held. */
	snprintf(words, sizeof(words), "--dry-run %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_RELEASE, words), EX_OK);
	assert_null(strstr(run_out, "bob@other.test"));
	assert_non_null(strstr(run_out, "\n1 recipient would be released\n"));
	snprintf(words, sizeof(words), "--dry-run %s", id_text(MANY + 99));
	assert_int_equal(run(act_run, CTL_VERB_RELEASE, words), EX_NOINPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses),
		cmocka_unit_test(redirects),
		cmocka_unit_test(tells_who_is_not_redirected),
		cmocka_unit_test(redirects_very_many),
		cmocka_unit_test(wants_an_address),
		cmocka_unit_test(tries_dry),
		cmocka_unit_test(acts),
		cmocka_unit_test(acts_on_all),
		cmocka_unit_test(leaves_what_has_come_since),
	};

	return cmocka_run_group_tests(
	    tests, false_queue_start, false_queue_stop);
}
