#include "queue/tool/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "queue/tool/tool.h"

#define NAMES 100 /* that are tried */

static const char *
path_of(const struct tool *tool, const char *name)
{
	static char paths[2][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 2];

	snprintf(path, PATH_MAX, "%s/%s", tool->place, name);
	return path;
}

const char *
exchange_path(const struct tool *tool)
{
	return path_of(tool, "data.mdb.new");
}

void
exchange_abort(const struct tool *tool)
{
	int error = errno;

	if (unlink(exchange_path(tool)) == -1 && errno != ENOENT)
		tool_say("data.mdb.new: %s", strerror(errno));
	errno = error;
}

int
exchange_begin(const struct tool *tool)
{
	/* One that was left behind by who was killed is of no use. */
	exchange_abort(tool);
	return open(exchange_path(tool),
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int
exchange_written(int fd)
{
	int result = fsync(fd), error = errno;

	close(fd);
	errno = error;
	return result;
}

static int
sync_directory(const struct tool *tool)
{
	int fd = open(tool->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? -1 : exchange_written(fd);
}

/* "data.mdb." and the time; of several in one second, the others get a number
 * besides. */
static void
old_name(char *name, size_t size, unsigned int turn)
{
	time_t now = time(NULL);
	struct tm tm;
	size_t length;

	gmtime_r(&now, &tm);
	length = strftime(name, size, "data.mdb.%Y%m%dT%H%M%SZ", &tm);
	if (turn > 1)
		snprintf(name + length, size - length, "-%u", turn);
}

/* 1: there was none. */
static int
keep_old(const struct tool *tool, char *name, size_t size)
{
	for (unsigned int turn = 1; turn <= NAMES; turn++) {
		old_name(name, size, turn);
		if (link(path_of(tool, "data.mdb"), path_of(tool, name)) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return errno == ENOENT ? 1 : -1;
}

/* LMDB's table of readers belongs to the old file, and is made anew. */
static int
forget_readers(const struct tool *tool)
{
	if (unlink(path_of(tool, "lock.mdb")) == 0 || errno == ENOENT)
		return 0;
	return -1;
}

int
exchange_commit(const struct tool *tool)
{
	char name[40];
	int kept = keep_old(tool, name, sizeof(name)), error;

	if (kept == -1)
		return -1;
	if (forget_readers(tool) == -1 ||
	    rename(exchange_path(tool), path_of(tool, "data.mdb")) == -1) {
		error = errno;
		if (kept == 0)
			(void)unlink(path_of(tool, name));
		errno = error;
		return -1;
	}
	if (kept == 0)
		printf(
		    "the old store is kept as %s/%s\n", tool->directory, name);
	return sync_directory(tool);
}
