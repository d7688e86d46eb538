#include "queue/store_lock.h"

#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

/* On a file system that can only be read no LMDB tells an owner that somebody
 * looks: there must be none, who may write by another mount of it. */
static int
check_owner(int fd)
{
	struct flock lock = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = WRITING,
		.l_len = 1 };
	struct statvfs st;

	if (fstatvfs(fd, &st) == -1 || (st.f_flag & ST_RDONLY) == 0)
		return 0;
	if (fcntl(fd, F_OFD_GETLK, &lock) == -1 || lock.l_type == F_UNLCK)
		return 0;
	errno = EBUSY;
	return -1;
}

int
store_lock(const char *directory, enum store_lock what)
{
	bool reads = what == STORE_LOCK_READER;
	int flags = reads ? O_RDONLY : O_RDWR | O_CREAT, fd, error;
	char path[LIMIT_PATH];

	if ((size_t)snprintf(path, sizeof(path), "%s/owner", directory) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* A FIFO in its place is not waited for. */
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd == -1 ||
	    (lock(fd, what) == 0 && (!reads || check_owner(fd) == 0)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
