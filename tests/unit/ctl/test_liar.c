/*
 * posternctl often runs as root: a server that is broken or taken over must
 * not lead it astray.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/content.h"
#include "common/id.h"
#include "common/mail.h"
#include "common/record.h"
#include "ctl/connect.h"

#include "tests/unit/ctl/run.h"

static struct message answers[1600];
static size_t answer_count;
static enum program liar = PROGRAM_QUEUE;

/* Answers each question with the same messages, then hangs up. */
static void
lie(int listener)
{
	static uint8_t record[LIMIT_RECORD];
	struct message question;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) != -1) {
		if (record_read(fd, record, &question, liar, PROGRAM_CTL, 0) !=
		    1)
			_exit(1);
		for (size_t i = 0; i < answer_count; i++)
			if (record_write(fd, &answers[i], 0) == -1)
				_exit(1);
		close(fd);
	}
}

static int
ask(int (*command)(struct ctl *, const struct command *, int, char **),
    const char *words)
{
	pid_t server =
	    run_server(lie, liar == PROGRAM_QUEUE ? "control" : "supervisor");
	int code = run(command, CTL_VERB_HOLD, words);

	run_stop(server);
	return code;
}

static void
answer(struct message m)
{
	answers[0] = m;
	answer_count = 1;
}

static struct message
item(void)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_ITEM, 1);

	m.ctl_item.id = 1;
	return m;
}

static void
wrong_answers(void **state)
{
	struct message m;

	(void)state;
	answer((struct message)MESSAGE_INIT(MESSAGE_CTL_END, 2));
	assert_int_equal(ask(list_run, ""), EX_PROTOCOL);
	answer((struct message)MESSAGE_INIT(MESSAGE_CTL_STAT, 1));
	assert_int_equal(ask(list_run, ""), EX_PROTOCOL);
	answer(item());
	assert_int_equal(ask(stats_run, ""), EX_PROTOCOL);
	assert_int_equal(ask(trace_run, "a@b.test"), EX_PROTOCOL);
	/* Items are for a dry run only. */
	assert_int_equal(ask(act_run, "--all"), EX_PROTOCOL);
	/* Not a message of this link at all. */
	answer((struct message)MESSAGE_INIT(MESSAGE_DRAIN, 1));
	assert_int_equal(ask(list_run, ""), EX_PROTOCOL);
	m = item();
	m.ctl_item.state = RECIPIENT_STATES;
	answer(m);
	assert_int_equal(ask(list_run, ""), EX_PROTOCOL);
	m = item();
	m.ctl_item.id = 0;
	answer(m);
	assert_int_equal(ask(list_run, ""), EX_PROTOCOL);
}

/* One without a name, or paused in a way that there is not. */
static void
wrong_destinations(void **state)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_DESTINATION, 1);

	(void)state;
	answer(m);
	assert_int_equal(ask(destinations_run, ""), EX_PROTOCOL);
	m.ctl_destination.name = "mx:x.test";
	m.ctl_destination.paused = PAUSE_KINDS;
	answer(m);
	assert_int_equal(ask(destinations_run, ""), EX_PROTOCOL);
	m.ctl_destination.paused = PAUSE_ALL;
	answer(m);
	assert_int_equal(ask(destinations_run, ""), EX_TEMPFAIL);
}

static void
cut_short(void **state)
{
	(void)state;
	answer(item());
	assert_int_equal(ask(list_run, ""), EX_TEMPFAIL);
	answer_count = 0;
	assert_int_equal(ask(list_run, ""), EX_TEMPFAIL);
	assert_non_null(strstr(run_err, "ended the connection"));
}

static struct message_ctl_item *
next_item(void)
{
	answers[answer_count] = item();
	return &answers[answer_count++].ctl_item;
}

/* A user's mail comes in the order of its next try: there the recipients of a
 * message may be apart. How many messages very many are is not known then. */
static void
counts_what_is_mixed(void **state)
{
	const char *counted;

	(void)state;
	answer_count = 0;
	for (uint64_t i = 0; i < 1500; i++)
		next_item()->id = i < 1024 ? 1024 - i : i - 1024 + 1;
	answers[answer_count++] =
	    (struct message)MESSAGE_INIT(MESSAGE_CTL_END, 1);
	assert_int_equal(ask(mailq_run, ""), EX_OK);
	assert_non_null(
	    strstr(run_out, "\n1500 recipients of 1024 messages, 0 octets.\n"));
	/* Too many to be remembered. */
	answers[1499].ctl_item.id = 1025;
	answers[1498].ctl_item.id = 1026;
	assert_int_equal(ask(mailq_run, ""), EX_OK);
	assert_non_null(strstr(run_out, "\n1500 recipients.\n"));
	/* Of those whose ids rise no one needs to. */
	for (uint64_t i = 0; i < 1500; i++)
		answers[i].ctl_item.id = i / 2 * 2 + 1;
	counted =
	    ask(mailq_run, "") == EX_OK ? strstr(run_out, "1500 rec") : "";
	assert_string_equal(
	    counted, "1500 recipients of 750 messages, 0 octets.\n");
	for (uint64_t i = 0; i < 1500; i++)
		answers[i].ctl_item.id = i + 1;
	counted =
	    ask(mailq_run, "") == EX_OK ? strstr(run_out, "1500 rec") : "";
	assert_string_equal(
	    counted, "1500 recipients of 1500 messages, 0 octets.\n");
}

/* Very many, as long as somebody reads. */
static void
list_very_many(int listener)
{
	static uint8_t record[LIMIT_RECORD];
	struct message question, m = item();
	int fd = accept(listener, NULL, NULL);

	if (record_read(fd, record, &question, PROGRAM_QUEUE, PROGRAM_CTL, 0) !=
	    1)
		_exit(1);
	for (int i = 0; i < 100000; i++)
		if (record_write(fd, &m, 0) == -1)
			_exit(0);
	m = (struct message)MESSAGE_INIT(MESSAGE_CTL_END, 1);
	_exit(record_write(fd, &m, 0) == 0 ? 2 : 0);
}

/* What cannot be written need not be read to its end. */
static void
full_disk(void **state)
{
	pid_t server = run_server(list_very_many, "control");
	struct ctl ctl = run_ctl;
	struct command command = { .name = "queue" };
	int status;

	(void)state;
	ctl.out = fopen("/dev/full", "we");
	assert_non_null(ctl.out);
	assert_int_equal(list_run(&ctl, &command, 0, NULL), EX_IOERR);
	fclose(ctl.out);
	assert_int_equal(waitpid(server, &status, 0), server);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
show_of(int fd, uint64_t size)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_MESSAGE, 1);

	m.fd = fd;
	m.ctl_message.id = 1;
	m.ctl_message.size = size;
	answer(m);
	answers[1] = (struct message)MESSAGE_INIT(MESSAGE_CTL_END, 1);
	answer_count = 2;
	return ask(show_run, id_format(1).text);
}

/* A file that could shrink under us would be a way to kill us. */
static void
unsealed_content(void **state)
{
	int fd = content_create();

	(void)state;
	assert_int_equal(content_write(fd, "hello", 5), 0);
	assert_int_equal(show_of(fd, 5), EX_PROTOCOL);
	assert_int_equal(content_seal(fd), 0);
	assert_int_equal(show_of(fd, 6), EX_PROTOCOL);
	assert_int_equal(show_of(fd, 5), EX_OK);
	assert_non_null(strstr(run_out, "\n\nhello"));
	close(fd);
	/* Recipients of a message that never came. */
	answer(item());
	assert_int_equal(ask(show_run, id_format(1).text), EX_PROTOCOL);
}

static void
evil_texts(void **state)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_END, 1);

	(void)state;
	m.ctl_end.code = EX_NOPERM;
	m.ctl_end.text = "\033]52;c;evil\a";
	answer(m);
	assert_int_equal(ask(list_run, ""), EX_NOPERM);
	assert_null(strchr(run_err, '\033'));
	assert_non_null(strstr(run_err, "\\x1b]52"));
}

static void
reloads(void **state)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_END, 1);

	(void)state;
	liar = PROGRAM_SUPERVISOR;
	answer(m);
	assert_int_equal(ask(reload_run, ""), EX_OK);
	assert_string_equal(run_err, "");
	m.ctl_end.code = EX_CONFIG;
	m.ctl_end.text = "postern.conf:3:1: no\n\tfoo\n\t^\n";
	answer(m);
	assert_int_equal(ask(reload_run, ""), EX_CONFIG);
	assert_non_null(strstr(run_err, "postern.conf:3:1: no\n"));
	liar = PROGRAM_QUEUE;
}

static void
nobody(void **state)
{
	struct sockaddr_un address;

	(void)state;
	run_socket_path(&address, "control");
	unlink(address.sun_path);
	assert_int_equal(run(list_run, 0, ""), EX_UNAVAILABLE);
	assert_non_null(strstr(run_err, address.sun_path));
	/* A socket that nobody listens on any more. */
	close(run_listen("control"));
	assert_int_equal(run(list_run, 0, ""), EX_UNAVAILABLE);
	run_ctl.run = "/a/very/long/name/a/very/long/name/a/very/long/name/"
		      "a/very/long/name/a/very/long/name/a/very/long/name";
	assert_int_equal(run(list_run, 0, ""), EX_CONFIG);
	run_ctl.run = run_directory;
}

static int
tear_down(void **state)
{
	(void)state;
	run_clean_up();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_answers),
		cmocka_unit_test(wrong_destinations),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(counts_what_is_mixed),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(unsealed_content),
		cmocka_unit_test(evil_texts),
		cmocka_unit_test(reloads),
		cmocka_unit_test(nobody),
	};

	return cmocka_run_group_tests(tests, run_prepare, tear_down);
}
