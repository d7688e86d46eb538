/* Who has to wait for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtpd/patience.h"

static const struct monotime start = { 1000000000000 };

static struct monotime
at(int64_t seconds)
{
	return monotime_add_ms(start, seconds * 1000);
}

/* The story of one session: what it does at a time, and how far it is then. */
static struct {
	struct patience patience;
	struct session_progress progress;
} story;

static int
begin(void **unused)
{
	(void)unused;
	story.progress =
	    (struct session_progress){ .turn = SESSION_TURN_COMMAND };
	patience_start(&story.patience, at(0));
	return 0;
}

/* The first second at which it is over. */
static int64_t
ends(void)
{
	return monotime_ms_between(start, story.patience.deadline) / 1000;
}

static void
note(int64_t now, size_t consumed)
{
	patience_note(&story.patience, at(now), &story.progress, consumed);
}

/* A command line, and whose turn it is then. */
static void
command(int64_t now, enum session_turn turn)
{
	story.progress.commands++;
	story.progress.turn = turn;
	note(now, 6);
}

static void
answer(int64_t now, enum session_turn turn)
{
	story.progress.turn = turn;
	note(now, 0);
}

static bool
is_over(int64_t now)
{
	return patience_is_over(&story.patience, at(now));
}

static void
test_commands(void **unused)
{
	(void)unused;
	assert_false(is_over(PATIENCE_COMMAND - 1));
	assert_true(is_over(PATIENCE_COMMAND));
	command(100, SESSION_TURN_COMMAND);
	assert_int_equal(ends(), 100 + PATIENCE_COMMAND);
	/* A command that never ends. */
	note(200, 1000);
	assert_int_equal(ends(), 100 + PATIENCE_COMMAND);
}

static void
test_data(void **unused)
{
	(void)unused;
	command(10, SESSION_TURN_DATA);
	assert_int_equal(ends(), 10 + PATIENCE_DATA);
	note(20, 0);
	assert_int_equal(ends(), 10 + PATIENCE_DATA);
	note(30, 1);
	assert_int_equal(ends(), 30 + PATIENCE_DATA);
}

/* Content in pieces of one size, in every so many seconds; when it is over. */
static int64_t
drip(int64_t now, int64_t seconds, size_t octets)
{
	while (!is_over(now)) {
		now += seconds;
		note(now, octets);
		assert_in_range(now, 0, 100000);
	}
	return now;
}

/* One octet a second: over when the whole has had its time. */
static void
test_slow_data(void **unused)
{
	(void)unused;
	command(0, SESSION_TURN_DATA);
	assert_in_range(
	    drip(0, 1, 1), PATIENCE_DATA_TOTAL, PATIENCE_DATA_TOTAL + 3);
}

/* Nor is there more of it for what has come fast before. */
static void
test_slow_data_after_much(void **unused)
{
	(void)unused;
	command(0, SESSION_TURN_DATA);
	note(1, (size_t)50 * 1024 * 1024);
	assert_in_range(drip(1, PATIENCE_DATA - 1, 1), PATIENCE_DATA_TOTAL,
	    PATIENCE_DATA_TOTAL + PATIENCE_DATA);
}

/* At the least pace, for ever; but not when it is refused already. */
static void
test_data_in_vain(void **unused)
{
	int64_t now;

	(void)unused;
	command(0, SESSION_TURN_DATA);
	for (now = 0; now < 50000; now++) {
		note(now, PATIENCE_DATA_RATE);
		assert_false(is_over(now + 1));
	}
	story.progress.in_vain = true;
	assert_in_range(drip(now, 1, 1000000) - now, PATIENCE_DATA_TOTAL - 2,
	    PATIENCE_DATA_TOTAL + 2);
}

/* A big message at a good pace is never cut off. */
static void
test_steady_data(void **unused)
{
	(void)unused;
	command(0, SESSION_TURN_DATA);
	for (int64_t now = 1; now < 20000; now++) {
		note(now, (size_t)2 * PATIENCE_DATA_RATE);
		assert_false(is_over(now + 60));
	}
	answer(20000, SESSION_TURN_ROUTER);
	assert_int_equal(ends(), 20000 + PATIENCE_ROUTER);
	/* Also if it was not accepted there is time for the next. */
	answer(20001, SESSION_TURN_COMMAND);
	assert_int_equal(ends(), 20001 + PATIENCE_COMMAND);
	command(20002, SESSION_TURN_DATA);
	assert_in_range(drip(20002, 1, 1) - 20002, PATIENCE_DATA_TOTAL,
	    PATIENCE_DATA_TOTAL + 3);
}

/* What is answered, one command after the other, whatever it is: refused
 * recipients, transactions that come to nothing. */
static void
test_no_message(void **unused)
{
	static const int64_t seconds[] = { 1, 60, PATIENCE_COMMAND - 1 };

	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		int64_t now = 0;

		begin(unused);
		while (!is_over(now)) {
			now += seconds[i];
			command(now, SESSION_TURN_ROUTER);
			answer(now, SESSION_TURN_COMMAND);
			assert_in_range(now, 0, 2 * PATIENCE_MESSAGE);
		}
		assert_in_range(
		    now, PATIENCE_MESSAGE, PATIENCE_MESSAGE + PATIENCE_COMMAND);
	}
}

/* Content that drips, again and again, and is never accepted. */
static void
test_content_for_nothing(void **unused)
{
	int64_t now = 0;

	(void)unused;
	while (!is_over(now)) {
		command(now, SESSION_TURN_DATA);
		for (int i = 0; i < 3 && !is_over(now); i++)
			note(now += PATIENCE_DATA - 1, 1);
		if (is_over(now))
			break;
		answer(now, SESSION_TURN_ROUTER);
		answer(now, SESSION_TURN_COMMAND);
		assert_in_range(now, 0, 2 * PATIENCE_MESSAGE);
	}
	assert_in_range(
	    now, PATIENCE_MESSAGE, PATIENCE_MESSAGE + PATIENCE_DATA);
}

static void
test_messages(void **unused)
{
	(void)unused;
	for (int64_t now = 0; now < 10 * PATIENCE_MESSAGE; now += 200) {
		command(now, SESSION_TURN_ROUTER);
		story.progress.messages++;
		answer(now, SESSION_TURN_COMMAND);
		assert_int_equal(ends(), now + PATIENCE_COMMAND);
	}
}

static void
test_goodbye(void **unused)
{
	(void)unused;
	command(1, SESSION_TURN_NOBODY);
	assert_int_equal(ends(), 1 + PATIENCE_GOODBYE);
	/* However much it goes on to say. */
	note(3, 60000);
	assert_int_equal(ends(), 1 + PATIENCE_GOODBYE);
}

#define STORY(name) cmocka_unit_test_setup(name, begin)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_commands),
		STORY(test_data),
		STORY(test_slow_data),
		STORY(test_slow_data_after_much),
		STORY(test_data_in_vain),
		STORY(test_steady_data),
		STORY(test_no_message),
		STORY(test_content_for_nothing),
		STORY(test_messages),
		STORY(test_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
