#include "queue/store_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/limits.h"

int
store_forget_memory(const char *directory)
{
	char path[LIMIT_PATH];
	int fd, error;

	if ((size_t)snprintf(path, sizeof(path), "%s/data.mdb", directory) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	error = fdatasync(fd) == -1 ? errno : 0;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	/* A full disk must not keep us from what makes room on it. */
	if (error == 0 || error == ENOSPC || error == EDQUOT)
		return 0;
	errno = error;
	return -1;
}
