/* The queue's control socket and clients of every kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/mail.h"
#include "common/monotime.h"
#include "common/record.h"

#include "tests/unit/ctl/false_queue.h"

static void
is_not_held_up(void **state)
{
	int fd = false_queue_dial();

	(void)state;
	false_queue_ask_for_all(fd);
	for (int i = 0; i < 20; i++)
		assert_int_equal(run(stats_run, 0, ""), EX_OK);
	assert_int_equal(false_queue_read_answer(fd), SPECIAL + MANY);
	close(fd);
}

static void
ends_broken_clients(void **state)
{
	struct message other = MESSAGE_INIT(MESSAGE_CTL_STATS, 1);
	struct message answer = MESSAGE_INIT(MESSAGE_CTL_END, 1);
	struct message list = MESSAGE_INIT(MESSAGE_CTL_LIST, 1);
	struct message act = MESSAGE_INIT(MESSAGE_CTL_ACT, 1);
	struct message show = MESSAGE_INIT(MESSAGE_CTL_SHOW, 1);
	struct message halt = MESSAGE_INIT(MESSAGE_CTL_PAUSE, 1);
	int fd;

	(void)state;
	errno = 0;
	fd = false_queue_dial();
	assert_int_equal(send(fd, "x", 1, 0), 1);
	false_queue_expect_closed(fd);
	fd = false_queue_dial();
	assert_int_equal(record_write(fd, &answer, 0), 0);
	false_queue_expect_closed(fd);
	fd = false_queue_dial();
	list.ctl_list.state = RECIPIENT_STATES + 1;
	assert_int_equal(record_write(fd, &list, 0), 0);
	false_queue_expect_closed(fd);
	fd = false_queue_dial();
	act.ctl_act.verb = CTL_VERBS;
	assert_int_equal(record_write(fd, &act, 0), 0);
	false_queue_expect_closed(fd);
	fd = false_queue_dial();
	act.ctl_act.verb = CTL_VERB_REMOVE;
	act.ctl_act.dry_run = 2;
	assert_int_equal(record_write(fd, &act, 0), 0);
	false_queue_expect_closed(fd);
	fd = false_queue_dial();
	assert_int_equal(record_write(fd, &show, 0), 0);
	false_queue_expect_closed(fd);
	fd = false_queue_dial();
	halt.ctl_pause.resume = 2;
	assert_int_equal(record_write(fd, &halt, 0), 0);
	false_queue_expect_closed(fd);
	/* A second question before the first is answered. */
	fd = false_queue_dial();
	false_queue_ask_for_all(fd);
	assert_int_equal(record_write(fd, &other, 0), 0);
	false_queue_expect_closed(fd);
	assert_int_equal(run(stats_run, 0, ""), EX_OK);
}

/* Goes away in the middle of a listing, and of an act. */
static void
survives_leavers(void **state)
{
	struct message act = MESSAGE_INIT(MESSAGE_CTL_ACT, 1);

	(void)state;
	act.ctl_act.verb = CTL_VERB_RETRY;
	act.ctl_act.recipient = "user@many.test";
	for (int i = 0; i < 50; i++) {
		int fd = false_queue_dial();

		if (i % 2 == 0)
			false_queue_ask_for_all(fd);
		else
			assert_int_equal(record_write(fd, &act, 0), 0);
		close(fd);
	}
	assert_int_equal(run(stats_run, 0, ""), EX_OK);
}

static void
lets_the_crowd_wait(void **state)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_STATS, 1);
	struct pollfd last = { .events = POLLIN };
	int fds[16];

	(void)state;
	for (int i = 0; i < 16; i++) {
		fds[i] = false_queue_dial();
		assert_int_equal(record_write(fds[i], &question, 0), 0);
		assert_int_equal(false_queue_read_answer(fds[i]), 2);
	}
	last.fd = false_queue_dial();
	assert_int_equal(record_write(last.fd, &question, 0), 0);
	assert_int_equal(poll(&last, 1, 300), 0);
	close(fds[3]);
	assert_int_equal(false_queue_read_answer(last.fd), 2);
	close(last.fd);
	for (int i = 0; i < 16; i++)
		if (i != 3)
			close(fds[i]);
}

/* Between their steps there is time for everything else: nine times what the
 * steps take, for each of them. */
static void
lets_users_rest(void **state)
{
	struct monotime start = monotime_now();
	int fds[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		fds[i] = false_queue_dial_user();
		false_queue_ask_for_all(fds[i]);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(false_queue_read_answer(fds[i]), 0);
		close(fds[i]);
	}
	assert_true(monotime_ms_between(start, monotime_now()) >=
		    2 * 10 * SLOW_STEPS * SLOW_US / 1000 * 9 / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_not_held_up),
		cmocka_unit_test(ends_broken_clients),
		cmocka_unit_test(survives_leavers),
		cmocka_unit_test(lets_the_crowd_wait),
		cmocka_unit_test(lets_users_rest),
	};

	return cmocka_run_group_tests(
	    tests, false_queue_start, false_queue_stop);
}
