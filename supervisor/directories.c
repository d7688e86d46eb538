#include "supervisor/directories.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"

#define QUEUE_USER "postern-queue"

static int lock_fd = -1;

static const char *
below(const char *directory, const char *name)
{
	static char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", directory, name);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		log_fatal(EX_CONFIG, "directory \"%s\"", log_text(directory));
	}
	return path;
}

/* Makes it, or takes it as it is if its owner is right and nobody else can
 * write there: whoever could would decide what root opens. */
static void
make(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st;
	int fd;

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		log_fatal(EX_CANTCREAT, "mkdir \"%s\"", log_text(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		log_fatal(EX_CANTCREAT, "directory \"%s\"", log_text(path));
	if ((st.st_uid != 0 && st.st_uid != uid) || (st.st_mode & 022) != 0) {
		errno = 0;
		log_fatal(EX_CONFIG,
		    "directory \"%s\": others can write to it (uid %u, mode "
		    "%o)",
		    log_text(path), st.st_uid, st.st_mode & 07777);
	}
	/* As it should be already: then its file system may be read-only, and
	 * mail is deferred until it can be written. */
	if ((st.st_uid != uid || st.st_gid != gid ||
		(st.st_mode & 07777) != mode) &&
	    (fchown(fd, uid, gid) == -1 || fchmod(fd, mode) == -1))
		log_fatal(EX_CANTCREAT, "directory \"%s\"", log_text(path));
	close(fd);
}

void
directories_make(const struct config *config)
{
	const struct passwd *queue = getpwnam(QUEUE_USER);

	if (queue == NULL) {
		errno = 0;
		log_fatal(
		    EX_NOUSER, "no user \"%s\"; see `make users`", QUEUE_USER);
	}
	make(config->run, 0, 0, 0755);
	make(below(config->run, "empty"), 0, 0, 0555);
	make(config->spool, 0, 0, 0755);
	make(below(config->spool, "store"), queue->pw_uid, queue->pw_gid, 0700);
}

void
directories_lock(const struct config *config)
{
	const char *path = below(config->run, "postern.pid");

	lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (lock_fd == -1)
		log_fatal(EX_CANTCREAT, "lock \"%s\"", log_text(path));
	if (fchmod(lock_fd, 0644) == -1)
		log_fatal(EX_OSERR, "lock \"%s\"", log_text(path));
	if (flock(lock_fd, LOCK_EX | LOCK_NB) == 0)
		return;
	if (errno != EWOULDBLOCK)
		log_fatal(EX_OSERR, "lock \"%s\"", log_text(path));
	errno = 0;
	log_fatal(EX_UNAVAILABLE, "postern already runs here (\"%s\")",
	    log_text(path));
}

void
directories_sign(void)
{
	if (ftruncate(lock_fd, 0) == -1 ||
	    dprintf(lock_fd, "%ld\n", (long)getpid()) < 0)
		log_fatal(EX_IOERR, "pid file");
}

void
directories_unsign(void)
{
	(void)!ftruncate(lock_fd, 0);
}
