/*
 * The file that is put back, opened as the caller, who may be root: it must be
 * the caller's to give. A folder of the queue's user may hold links that one
 * who has taken over the queue has put there, to have files of others read.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/tool/tool.h"

/* What LMDB writes behind the header of its first page. */
#define PAGE_HEADER 16
#define MAGIC 0xbeefc0deU
#define VERSION 1U

static bool
is_folder_of(const char *path, uid_t user)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == user;
}

/* Does the way there lead through a folder of this user? */
static bool
is_within_reach(const char *file, uid_t user)
{
	char path[PATH_MAX];

	if (strlen(file) >= sizeof(path))
		return true;
	if (file[0] != '/' && is_folder_of(".", user))
		return true;
	for (size_t i = 0; file[i] != '\0'; i++) {
		path[i] = file[i];
		path[i + 1] = '\0';
		if (file[i] == '/' && is_folder_of(path, user))
			return true;
	}
	return false;
}

/* NULL: nothing is. */
static const char *
judge(const char *file, const struct stat *st)
{
	const struct passwd *pw = getpwnam(TOOL_USER);

	if (!S_ISREG(st->st_mode))
		return "not a file";
	if (pw == NULL)
		return "there is no user " TOOL_USER;
	if (is_within_reach(file, pw->pw_uid) &&
	    (st->st_uid != pw->pw_uid || st->st_nlink != 1))
		return "a file in a folder of " TOOL_USER
		       " must be theirs, and have no other name";
	if (st->st_uid != 0 && st->st_uid != geteuid() &&
	    st->st_uid != pw->pw_uid)
		return "it belongs to another user";
	return NULL;
}

/* A FIFO is not waited for. */
int
restore_prepare(struct tool *tool)
{
	struct stat st;
	const char *wrong;

	tool->fd = open(tool->file,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (tool->fd == -1 || fstat(tool->fd, &st) == -1)
		wrong = errno == ELOOP ? "a symbolic link; name the file itself"
				       : strerror(errno);
	else
		wrong = judge(tool->file, &st);
	if (wrong == NULL)
		return EX_OK;
	tool_say("%s: %s", tool->file, wrong);
	return EX_NOINPUT;
}

int
source_check(int fd)
{
	uint32_t words[2];
	ssize_t n = pread(fd, words, sizeof(words), PAGE_HEADER);

	if (n == -1)
		return -1;
	if (n == sizeof(words) && words[0] == MAGIC && words[1] == VERSION)
		return 0;
	errno = EUCLEAN;
	return -1;
}
