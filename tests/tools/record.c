/*
 * Preloaded into the queue, this writes down every write to the store's file
 * and every point at which it is durable, so that a test can build the disk
 * as a loss of power might have left it: all that was synced, and any part of
 * what was not.
 *
 * The journal (RECORD_JOURNAL) is a sequence of records, all integers of 64
 * bits in the machine's order: kind, offset, length, then the octets. Kind 1
 * is a write, 2 a sync of all before it, 3 a write that was durable when it
 * returned (the file was opened with O_DSYNC).
 */
#include <sys/uio.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORE_FILE "data.mdb"
#define DESCRIPTORS 1024

enum kind {
	KIND_WRITE = 1,
	KIND_SYNC = 2,
	KIND_DURABLE = 3,
};

static int journal = -1;
static enum kind watched[DESCRIPTORS]; /* how a write through it counts */

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_open)(const char *, int, ...);

#define REAL(name) (*(void **)(&real_##name) = dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("RECORD_JOURNAL");

	REAL(pwrite);
	REAL(writev);
	REAL(fdatasync);
	REAL(fsync);
	REAL(open);
	if (path != NULL)
		journal = real_open(
		    path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (journal != -1 && journal < 64) {
		int high = fcntl(journal, F_DUPFD_CLOEXEC, 900);

		close(journal);
		journal = high;
	}
}

static bool
is_watched(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS && watched[fd] != 0;
}

/* One write for the whole record: it is there whole or not at all. */
static void
note(enum kind kind, off_t offset, const struct iovec *parts, int count)
{
	uint64_t head[3] = { (uint64_t)kind, (uint64_t)offset, 0 };
	struct iovec all[128];

	if (journal == -1 || count > 127)
		abort();
	all[0] = (struct iovec){ head, sizeof(head) };
	for (int i = 0; i < count; i++) {
		all[i + 1] = parts[i];
		head[2] += parts[i].iov_len;
	}
	if (real_writev(journal, all, count + 1) !=
	    (ssize_t)(sizeof(head) + head[2]))
		abort();
}

static int
watch(int fd, const char *path, int flags)
{
	const char *name = strrchr(path, '/');

	if (fd >= 0 && fd < DESCRIPTORS) {
		name = name == NULL ? path : name + 1;
		watched[fd] = 0;
		if (strcmp(name, STORE_FILE) == 0)
			watched[fd] =
			    (flags & O_DSYNC) != 0 ? KIND_DURABLE : KIND_WRITE;
	}
	return fd;
}

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	va_start(arguments, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return watch(real_open(path, flags, mode), path, flags);
}

int
open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	va_start(arguments, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return watch(real_open(path, flags, mode), path, flags);
}

ssize_t
pwrite(int fd, const void *data, size_t length, off_t offset)
{
	ssize_t n = real_pwrite(fd, data, length, offset);
	struct iovec part = { (void *)(uintptr_t)data, length };

	if (n > 0 && is_watched(fd)) {
		part.iov_len = (size_t)n;
		note(watched[fd], offset, &part, 1);
	}
	return n;
}

ssize_t
pwrite64(int fd, const void *data, size_t length, off_t offset)
{
	return pwrite(fd, data, length, offset);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	off_t offset = is_watched(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t n = real_writev(fd, parts, count);

	if (n > 0 && is_watched(fd))
		note(watched[fd], offset, parts, count);
	return n;
}

int
fdatasync(int fd)
{
	int result = real_fdatasync(fd);

	if (result == 0 && is_watched(fd))
		note(KIND_SYNC, 0, NULL, 0);
	return result;
}

int
fsync(int fd)
{
	int result = real_fsync(fd);

	if (result == 0 && is_watched(fd))
		note(KIND_SYNC, 0, NULL, 0);
	return result;
}
