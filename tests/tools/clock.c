/*
 * Preloaded into a program, this lets a test set the machine's clock: wall
 * time is moved by as many seconds as the first eight octets of the file
 * CLOCK_FILE say, a signed integer in the machine's order. The file is mapped
 * at the start, before the program gives up the right to open it. Monotonic
 * time goes on as it does when a clock is set.
 */
#include <sys/mman.h>
#include <sys/time.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("CLOCK_FILE");
	int fd;

	*(void **)(&real_clock_gettime) = dlsym(RTLD_NEXT, "clock_gettime");
	if (path == NULL)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		abort();
	shift = mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0);
	if (shift == MAP_FAILED)
		abort();
	close(fd);
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int result = real_clock_gettime(clock, ts);

	if (result == 0 && shift != NULL &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ts->tv_sec += *shift;
	return result;
}

time_t
time(time_t *out)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec now = { 0, 0 };

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	tv->tv_sec = now.tv_sec;
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}
