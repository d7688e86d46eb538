#include "queue/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/limits.h"

/* The octets, and what they stand for. */
#define WRITING 0
#define READING 1

static int
lock_octet(int fd, off_t octet, short type)
{
	struct flock lock = { .l_type = type,
		.l_whence = SEEK_SET,
		.l_start = octet,
		.l_len = 1 };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		errno = EBUSY;
	return -1;
}

static int
lock(int fd, enum store_lock what)
{
	switch (what) {
	case STORE_LOCK_OWNER:
		return lock_octet(fd, WRITING, F_WRLCK);
	case STORE_LOCK_READER:
		return lock_octet(fd, READING, F_RDLCK);
	case STORE_LOCK_EXCHANGE:
		break;
	}
	if (lock_octet(fd, WRITING, F_WRLCK) == -1)
		return -1;
	return lock_octet(fd, READING, F_WRLCK);
}

int
store_lock(const char *directory, enum store_lock what)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW, fd, error;
	char path[LIMIT_PATH];

	if ((size_t)snprintf(path, sizeof(path), "%s/owner", directory) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (what != STORE_LOCK_READER)
		flags |= O_CREAT;
	fd = open(path, flags, 0600);
	if (fd == -1 || lock(fd, what) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
