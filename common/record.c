#include "common/record.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* A control buffer of CMSG_LEN admits exactly one descriptor. */
union one_fd {
	char buffer[CMSG_LEN(sizeof(int))];
	struct cmsghdr align;
};

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* Reads one datagram. Returns its length; the number of descriptors in `fds`,
 * where 2 stands for "more than fits". */
static ssize_t
receive_record(int fd, void *record, int *passed, unsigned int *fds, int flags)
{
	union one_fd control;
	struct iovec iov = { record, LIMIT_RECORD };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};
	struct cmsghdr *c;
	ssize_t n;

	*passed = -1;
	*fds = 0;
	do
		n = recvmsg(fd, &header, flags | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	c = CMSG_FIRSTHDR(&header);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int))) {
		memcpy(passed, CMSG_DATA(c), sizeof(int));
		*fds = 1;
	}
	if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		close_fd(passed);
		errno = EPROTO;
		return -1;
	}
	return n;
}

int
record_read(int fd, void *record, struct message *m, enum program self,
    enum program peer, int flags)
{
	unsigned int fds;
	int passed;
	ssize_t n = receive_record(fd, record, &passed, &fds, flags);

	if (n == -1)
		return -1;
	if (n == 0) { /* end of file, or an empty record: both end the link */
		close_fd(&passed);
		return 0;
	}
	if (message_decode(m, record, (size_t)n, fds) == -1 ||
	    !message_is_allowed(m->type, peer, self)) {
		close_fd(&passed);
		errno = EPROTO;
		return -1;
	}
	m->fd = passed;
	return 1;
}

int
record_send(int fd, const void *record, size_t length, int passed, int flags)
{
	union one_fd control;
	struct iovec iov = { (void *)(uintptr_t)record, length };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (passed != -1) {
		memset(&control, 0, sizeof(control));
		header.msg_control = control.buffer;
		header.msg_controllen = sizeof(control.buffer);
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(int));
	}
	do
		n = sendmsg(fd, &header, flags | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

int
record_write(int fd, const struct message *m, int flags)
{
	uint8_t record[LIMIT_RECORD];
	ssize_t length = message_encode(m, record, sizeof(record));

	if (length == -1)
		return -1;
	return record_send(fd, record, (size_t)length, m->fd, flags);
}
