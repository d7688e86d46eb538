#include "common/channel.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/content.h"
#include "common/record.h"
#include "tests/unit/common/unit.h"

/* A link between a router (under test) and an smtpd (a bare socket). */
struct link {
	struct event_base *base;
	struct channel *router;
	int smtpd;
	unsigned int received, closed;
	uint32_t handle; /* of the last message */
	enum message_type type;
	int fd;	  /* of the last, if taken */
	int open; /* descriptors before the test */
	bool take, refuse, free;
};

static struct link it;

/* What sending fails with; 0: it does not. */
static int lack;
static unsigned int attempts;

ssize_t __real_sendmsg(int fd, const struct msghdr *header, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *header, int flags)
{
	attempts++;
	if (lack == 0)
		return __real_sendmsg(fd, header, flags);
	errno = lack;
	return -1;
}

static int
open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

static int
on_receive(struct channel *c, struct message *m, void *context)
{
	struct link *l = context;

	assert_ptr_equal(c, l->router);
	assert_int_equal(channel_peer(c), PROGRAM_SMTPD);
	l->received++;
	l->type = m->type;
	l->handle = m->handle;
	if (l->take)
		l->fd = message_take_fd(m);
	if (l->free)
		channel_free(&l->router);
	return l->refuse ? -1 : 0;
}

static void
on_closed(struct channel *c, void *context)
{
	struct link *l = context;

	assert_ptr_equal(c, l->router);
	l->closed++;
	l->router = NULL;
}

static const struct channel_handler handler = {
	.receive = on_receive,
	.closed = on_closed,
};

static int
set_up(void **state)
{
	int ends[2];

	(void)state;
	memset(&it, 0, sizeof(it));
	lack = 0;
	it.fd = -1;
	it.base = event_base_new();
	it.open = open_descriptors();
	if (it.base == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return -1;
	it.smtpd = ends[1];
	it.router = channel_new(
	    it.base, ends[0], PROGRAM_ROUTER, PROGRAM_SMTPD, &handler, &it);
	return it.router != NULL ? 0 : -1;
}

/* Also: whatever happened, no descriptor is left. */
static int
tear_down(void **state)
{
	int left;

	(void)state;
	channel_free(&it.router);
	if (it.smtpd != -1)
		close(it.smtpd);
	if (it.fd != -1)
		close(it.fd);
	left = open_descriptors() - it.open;
	event_base_free(it.base);
	return left == 0 ? 0 : -1;
}

static void
turn(void)
{
	event_base_loop(it.base, EVLOOP_NONBLOCK);
}

static struct message
recipient(uint32_t handle)
{
	struct message m = MESSAGE_INIT(MESSAGE_RECIPIENT, handle);

	m.recipient.number = handle;
	m.recipient.address = "alice@example.org";
	return m;
}

static struct message
verdict(uint32_t handle)
{
	struct message m = MESSAGE_INIT(MESSAGE_VERDICT, handle);

	m.verdict.code = 250;
	m.verdict.reply = "2.1.5 Ok";
	return m;
}

static struct message
content(uint32_t handle, int fd)
{
	struct message m = MESSAGE_INIT(MESSAGE_CONTENT, handle);

	m.fd = fd;
	return m;
}

/* As a broken smtpd could: any octets, any descriptors. */
static void
send_raw(const void *data, size_t length, const int *fds, size_t count)
{
	union {
		char buffer[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	char copy[2 * LIMIT_RECORD];
	struct iovec iov = { copy, length };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

	assert_true(length <= sizeof(copy) && count <= 8);
	memcpy(copy, data, length);
	if (count > 0) {
		struct cmsghdr *c;

		header.msg_control = control.buffer;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	assert_int_equal(sendmsg(it.smtpd, &header, 0), length);
}

static void
send_good(struct message m)
{
	assert_int_equal(record_write(it.smtpd, &m, 0), 0);
}

static void
expect_closed(void)
{
	turn();
	assert_int_equal(it.received, 0);
	assert_int_equal(it.closed, 1);
	assert_null(it.router);
}

static void
messages_come_in_order(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 20; i++) {
		send_good(recipient(i));
		turn();
		assert_int_equal(it.received, i);
		assert_int_equal(it.handle, i);
		assert_int_equal(it.type, MESSAGE_RECIPIENT);
	}
	assert_int_equal(it.closed, 0);
}

static void
messages_go_in_order(void **state)
{
	char record[LIMIT_RECORD];

	(void)state;
	for (uint32_t i = 1; i <= 20; i++) {
		struct message m = verdict(i);

		assert_int_equal(channel_send(it.router, &m), 0);
	}
	for (uint32_t i = 1; i <= 20; i++) {
		struct message m;

		assert_int_equal(record_read(it.smtpd, record, &m,
				     PROGRAM_SMTPD, PROGRAM_ROUTER, 0),
		    1);
		assert_int_equal(m.type, MESSAGE_VERDICT);
		assert_int_equal(m.handle, i);
		assert_string_equal(m.verdict.reply, "2.1.5 Ok");
	}
}

static void
a_descriptor_is_passed(void **state)
{
	int fd = content_create();
	struct stat sent, got;

	(void)state;
	assert_true(fd != -1);
	it.take = true;
	send_good(content(1, fd));
	turn();
	assert_int_equal(it.received, 1);
	assert_true(it.fd != -1);
	assert_int_equal(fstat(fd, &sent), 0);
	assert_int_equal(fstat(it.fd, &got), 0);
	assert_true(sent.st_ino == got.st_ino && sent.st_dev == got.st_dev);
	close(fd);
}

/* tear_down() finds what is left open. */
static void
a_descriptor_not_taken_is_closed(void **state)
{
	int fd = content_create();

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		send_good(content(i, fd));
	turn();
	assert_int_equal(it.received, 10);
	close(fd);
}

static void
a_sent_descriptor_is_taken(void **state)
{
	struct event_base *base = it.base;
	char record[LIMIT_RECORD];
	int ends[2], fd = content_create();
	struct channel *smtpd;
	struct message m = content(1, fd);

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	smtpd = channel_new(
	    base, ends[0], PROGRAM_SMTPD, PROGRAM_ROUTER, &handler, &it);
	assert_non_null(smtpd);
	assert_int_equal(channel_send(smtpd, &m), 0);
	assert_int_equal(m.fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* ours is closed */
	assert_int_equal(
	    record_read(ends[1], record, &m, PROGRAM_ROUTER, PROGRAM_SMTPD, 0),
	    1);
	assert_true((fcntl(m.fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(m.fd);
	/* One that cannot be sent is taken as well. */
	m = verdict(1);
	m.fd = content_create();
	fd = m.fd;
	assert_int_equal(channel_send(smtpd, &m), -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	channel_free(&smtpd);
	close(ends[1]);
}

/* The peer does not read: messages wait, in order, with their descriptors,
 * and go when it does. */
static void
messages_wait_for_a_slow_peer(void **state)
{
	char record[LIMIT_RECORD];
	uint32_t sent = 0;

	(void)state;
	while (channel_queued(it.router) < 100) {
		struct message m = verdict(++sent);

		assert_int_equal(channel_send(it.router, &m), 0);
		assert_true(sent < 100000);
	}
	turn();
	assert_int_equal(it.closed, 0);
	for (uint32_t i = 1; i <= sent; i++) {
		struct message m;
		int got = -1;

		while (got == -1) {
			got = record_read(it.smtpd, record, &m, PROGRAM_SMTPD,
			    PROGRAM_ROUTER, MSG_DONTWAIT);
			if (got == -1) {
				assert_int_equal(errno, EAGAIN);
				event_base_loop(it.base, EVLOOP_ONCE);
			}
		}
		assert_int_equal(got, 1);
		assert_int_equal(m.handle, i);
	}
	assert_int_equal(channel_queued(it.router), 0);
}

/* The socket has room all the while: it is tried again, but not in a busy
 * loop, and nothing is lost. */
static void
a_lack_is_waited_for(void **state)
{
	static const int lacks[] = { ETOOMANYREFS, ENOBUFS, ENOMEM };
	static const struct timeval while_ = { 0, 100000 };
	char record[LIMIT_RECORD];
	struct message m;

	(void)state;
	for (unsigned int i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		lack = lacks[i];
		attempts = 0;
		for (uint32_t handle = 1; handle <= 3; handle++) {
			m = verdict(handle);
			assert_int_equal(channel_send(it.router, &m), 0);
		}
		event_base_loopexit(it.base, &while_);
		event_base_dispatch(it.base);
		assert_in_range(attempts, 2, 30);
		assert_int_equal(channel_queued(it.router), 3);
		lack = 0;
		while (channel_queued(it.router) > 0)
			event_base_loop(it.base, EVLOOP_ONCE);
		for (uint32_t handle = 1; handle <= 3; handle++) {
			assert_int_equal(
			    record_read(it.smtpd, record, &m, PROGRAM_SMTPD,
				PROGRAM_ROUTER, MSG_DONTWAIT),
			    1);
			assert_int_equal(m.handle, handle);
		}
	}
	assert_int_equal(it.closed, 0);
}

static void
a_backlog_is_bounded(void **state)
{
	uint32_t sent = 0;
	struct message m;

	(void)state;
	do {
		m = verdict(++sent);
		assert_true(sent < 10 * LIMIT_CHANNEL_QUEUE);
	} while (channel_send(it.router, &m) == 0);
	assert_int_equal(errno, ENOBUFS);
	assert_int_equal(channel_queued(it.router), LIMIT_CHANNEL_QUEUE);
	/* Not from within the call, and then only once. */
	assert_int_equal(it.closed, 0);
	m = verdict(1);
	assert_int_equal(channel_send(it.router, &m), -1);
	turn();
	turn();
	assert_int_equal(it.closed, 1);
}

static void
end_of_file_closes(void **state)
{
	(void)state;
	close(it.smtpd);
	it.smtpd = -1;
	expect_closed();
}

/* What was sent before the end still arrives. */
static void
the_last_words_are_heard(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 5; i++)
		send_good(recipient(i));
	close(it.smtpd);
	it.smtpd = -1;
	turn();
	turn();
	assert_int_equal(it.received, 5);
	assert_int_equal(it.closed, 1);
}

static void
a_peer_that_is_gone_closes_later(void **state)
{
	struct message m = verdict(1);

	(void)state;
	channel_pause(it.router);
	close(it.smtpd);
	it.smtpd = -1;
	assert_int_equal(channel_send(it.router, &m), -1);
	assert_int_equal(it.closed, 0);
	turn();
	assert_int_equal(it.closed, 1);
}

static void
an_empty_record_closes(void **state)
{
	(void)state;
	send_raw("", 0, NULL, 0);
	expect_closed();
}

static void
an_empty_record_with_a_descriptor_closes(void **state)
{
	int fd = 0;

	(void)state;
	send_raw("", 0, &fd, 1);
	expect_closed();
}

static void
garbage_closes(void **state)
{
	(void)state;
	send_raw("\xff\xff\xff\xff\xff\xff\xff", 7, NULL, 0);
	expect_closed();
}

static void
two_descriptors_close(void **state)
{
	static const int fds[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	struct message m = content(1, 0);
	uint8_t record[LIMIT_RECORD];
	ssize_t length = message_encode(&m, record, sizeof(record));

	(void)state;
	assert_true(length > 0);
	send_raw(record, (size_t)length, fds, 2);
	expect_closed();
}

static void
eight_descriptors_close(void **state)
{
	static const int fds[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	struct message m = content(1, 0);
	uint8_t record[LIMIT_RECORD];
	ssize_t length = message_encode(&m, record, sizeof(record));

	(void)state;
	assert_true(length > 0);
	send_raw(record, (size_t)length, fds, 8);
	expect_closed();
}

static void
a_missing_descriptor_closes(void **state)
{
	struct message m = content(1, 0);
	uint8_t record[LIMIT_RECORD];
	ssize_t length = message_encode(&m, record, sizeof(record));

	(void)state;
	assert_true(length > 0);
	send_raw(record, (size_t)length, NULL, 0);
	expect_closed();
}

static void
an_unwanted_descriptor_closes(void **state)
{
	struct message m = recipient(1);
	uint8_t record[LIMIT_RECORD];
	ssize_t length = message_encode(&m, record, sizeof(record));
	int fd = 0;

	(void)state;
	assert_true(length > 0);
	send_raw(record, (size_t)length, &fd, 1);
	expect_closed();
}

static void
an_oversized_record_closes(void **state)
{
	static const uint8_t record[LIMIT_RECORD + 1];
	int fd = 0;

	(void)state;
	send_raw(record, sizeof(record), &fd, 1);
	expect_closed();
}

/* Well-formed, but not this peer's to say. */
static void
a_wrong_direction_closes(void **state)
{
	struct message m = verdict(1);

	(void)state;
	send_good(m);
	expect_closed();
}

static void
a_handler_can_refuse(void **state)
{
	(void)state;
	it.refuse = true;
	send_good(recipient(1));
	send_good(recipient(2));
	turn();
	assert_int_equal(it.received, 1);
	assert_int_equal(it.closed, 1);
}

static void
a_handler_can_free(void **state)
{
	int fd = content_create();

	(void)state;
	it.free = true;
	send_good(content(1, fd));
	send_good(recipient(2));
	turn();
	assert_int_equal(it.received, 1);
	assert_int_equal(it.closed, 0);
	assert_null(it.router);
	close(fd);
}

/* Refusing after having freed must not touch it again. */
static void
a_handler_can_free_and_refuse(void **state)
{
	(void)state;
	it.free = true;
	it.refuse = true;
	send_good(recipient(1));
	turn();
	assert_int_equal(it.received, 1);
	assert_int_equal(it.closed, 0);
}

static void
others_have_a_turn(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < LIMIT_CHANNEL_TURN + 10; i++)
		send_good(recipient(i));
	event_base_loop(it.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(it.received, LIMIT_CHANNEL_TURN);
	event_base_loop(it.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(it.received, LIMIT_CHANNEL_TURN + 10);
}

static void
a_paused_channel_does_not_read(void **state)
{
	(void)state;
	channel_pause(it.router);
	send_good(recipient(1));
	turn();
	assert_int_equal(it.received, 0);
	channel_resume(it.router);
	turn();
	assert_int_equal(it.received, 1);
}

static void
plain_sockets_say_what_happened(void **state)
{
	char record[LIMIT_RECORD];
	struct message m = recipient(1);

	(void)state;
	assert_int_equal(record_read(it.smtpd, record, &m, PROGRAM_SMTPD,
			     PROGRAM_ROUTER, MSG_DONTWAIT),
	    -1);
	assert_int_equal(errno, EAGAIN);
	/* The router may not say what only smtpd says. */
	m = recipient(1);
	assert_int_equal(channel_send(it.router, &m), 0);
	assert_int_equal(
	    record_read(it.smtpd, record, &m, PROGRAM_SMTPD, PROGRAM_ROUTER, 0),
	    -1);
	assert_int_equal(errno, EPROTO);
	channel_free(&it.router);
	assert_int_equal(
	    record_read(it.smtpd, record, &m, PROGRAM_SMTPD, PROGRAM_ROUTER, 0),
	    0);
}

#define ON_A_LINK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_LINK(messages_come_in_order),
		ON_A_LINK(messages_go_in_order),
		ON_A_LINK(a_descriptor_is_passed),
		ON_A_LINK(a_descriptor_not_taken_is_closed),
		ON_A_LINK(a_sent_descriptor_is_taken),
		ON_A_LINK(messages_wait_for_a_slow_peer),
		ON_A_LINK(a_lack_is_waited_for),
		ON_A_LINK(a_backlog_is_bounded),
		ON_A_LINK(end_of_file_closes),
		ON_A_LINK(the_last_words_are_heard),
		ON_A_LINK(a_peer_that_is_gone_closes_later),
		ON_A_LINK(an_empty_record_closes),
		ON_A_LINK(an_empty_record_with_a_descriptor_closes),
		ON_A_LINK(garbage_closes),
		ON_A_LINK(two_descriptors_close),
		ON_A_LINK(eight_descriptors_close),
		ON_A_LINK(a_missing_descriptor_closes),
		ON_A_LINK(an_unwanted_descriptor_closes),
		ON_A_LINK(an_oversized_record_closes),
		ON_A_LINK(a_wrong_direction_closes),
		ON_A_LINK(a_handler_can_refuse),
		ON_A_LINK(a_handler_can_free),
		ON_A_LINK(a_handler_can_free_and_refuse),
		ON_A_LINK(others_have_a_turn),
		ON_A_LINK(a_paused_channel_does_not_read),
		ON_A_LINK(plain_sockets_say_what_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
