#include "common/log.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/common/unit.h"

static char text[1 << 20];

static void
fill(int fd)
{
	static const char octets[512];

	while (send(fd, octets, sizeof(octets), MSG_DONTWAIT) != -1 ||
	       (errno == ENOTSOCK && write(fd, octets, sizeof(octets)) != -1))
		;
	assert_int_equal(errno, EAGAIN);
}

/* All that is there; what it was filled with is no text. */
static const char *
read_all(int fd)
{
	size_t length = 0, begin = 0;
	ssize_t n;

	while ((n = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)n;
	assert_int_equal(errno, EAGAIN);
	text[length] = '\0';
	while (begin < length && text[begin] == '\0')
		begin++;
	return text + begin;
}

static const char *
line(const char *event)
{
	static char buffer[4][100];
	static unsigned int next;
	char *to = buffer[next++ % 4];

	snprintf(
	    to, sizeof(buffer[0]), "router[%ld]: %s\n", (long)getpid(), event);
	return to;
}

static void
expect(int fd, const char *first, const char *second)
{
	char both[200];

	snprintf(both, sizeof(both), "%s%s", line(first), line(second));
	assert_string_equal(read_all(fd), both);
}

/* Nobody reads: nothing blocks, and what was lost is counted. */
static void
loses_and_counts(int ends[2])
{
	log_program(PROGRAM_ROUTER);
	log_open(ends[1], LOG_FORM_STDERR, false);
	log_info("first");
	log_info("second");
	expect(ends[0], "first", "second");
	fill(ends[1]);
	for (int i = 0; i < 3; i++)
		log_info("never seen");
	(void)read_all(ends[0]);
	log_info("again");
	expect(ends[0], "log-lost lines=3", "again");
	log_info("and");
	log_info("again");
	expect(ends[0], "and", "again");
	close(ends[0]);
}

static void
a_full_pipe_loses_and_counts(void **context)
{
	int ends[2];

	(void)context;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	loses_and_counts(ends);
}

/* Standard error may be the journal's socket, which is not ours to change. */
static void
a_full_socket_loses_and_counts(void **context)
{
	int ends[2];

	(void)context;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	alarm(10);
	loses_and_counts(ends);
	alarm(0);
}

static unsigned int told;

static void
on_lost(uint32_t lines)
{
	told += lines;
}

/* The supervisor is asked once, and what was lost is said on the new one. */
static void
a_broken_socket_is_replaced(void **context)
{
	int ends[2];

	(void)context;
	log_on_lost(on_lost);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	log_open(ends[1], LOG_FORM_STDERR, false);
	close(ends[0]);
	log_info("lost");
	log_info("lost");
	assert_int_equal(told, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	log_open(ends[1], LOG_FORM_STDERR, false);
	log_info("found");
	expect(ends[0], "log-lost lines=2", "found");
	close(ends[0]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_pipe_loses_and_counts),
		cmocka_unit_test(a_full_socket_loses_and_counts),
		cmocka_unit_test(a_broken_socket_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
