#include "common/content.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static const uint8_t nothing[1];

int
content_create(void)
{
	return memfd_create("content", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int
content_write(int fd, const void *data, size_t length)
{
	const uint8_t *at = data;

	while (length > 0) {
		ssize_t n = write(fd, at, length);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int
content_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS);
}

int
content_check(int fd, uint64_t size)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals == -1 || (seals & SEALS) != SEALS || fstat(fd, &st) == -1 ||
	    st.st_size < 0 || (uint64_t)st.st_size != size) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

const uint8_t *
content_map(int fd, uint64_t size)
{
	void *data;

	if (size == 0)
		return nothing;
	data = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	/* cppcheck-suppress memleak; it is the caller's */
	return data == MAP_FAILED ? NULL : data;
}

void
content_unmap(const uint8_t *data, uint64_t size)
{
	if (data != NULL && data != nothing)
		munmap((void *)(uintptr_t)data, (size_t)size);
}
