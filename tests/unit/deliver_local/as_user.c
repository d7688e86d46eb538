#include "tests/unit/deliver_local/as_user.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fts.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bsd/string.h>

/* Nobody's, so that nothing on the machine is in reach. */
#define TEST_ID 54321

int
scratch_make(void **state)
{
	static struct scratch scratch;
	struct scratch *s = &scratch;

	if (geteuid() != 0)
		return -1;
	strlcpy(s->owner.login, "tester", sizeof(s->owner.login));
	s->owner.uid = s->owner.gid = TEST_ID;
	strlcpy(
	    s->owner.home, "/tmp/postern-test-XXXXXX", sizeof(s->owner.home));
	if (mkdtemp(s->owner.home) == NULL ||
	    chown(s->owner.home, TEST_ID, TEST_ID) == -1)
		return -1;
	*state = s;
	return 0;
}

int
scratch_remove(void **state)
{
	struct scratch *s = *state;
	char *roots[] = { s->owner.home, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	if (tree == NULL)
		return -1;
	while ((entry = fts_read(tree)) != NULL)
		if (entry->fts_info != FTS_D)
			(void)remove(entry->fts_accpath);
	fts_close(tree);
	return 0;
}

int
scratch_as_owner(struct scratch *s, int (*call)(struct scratch *))
{
	int status;
	pid_t pid = fork();

	if (pid == -1)
		return -1;
	if (pid == 0) {
		umask(077);
		if (setgroups(0, NULL) == -1 ||
		    setresgid(TEST_ID, TEST_ID, TEST_ID) == -1 ||
		    setresuid(TEST_ID, TEST_ID, TEST_ID) == -1)
			_exit(125);
		_exit(call(s));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

const char *
scratch_path(const struct scratch *s, const char *below)
{
	static char paths[8][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % 8];

	strlcpy(path, s->owner.home, PATH_MAX);
	strlcat(path, "/", PATH_MAX);
	strlcat(path, below, PATH_MAX);
	return path;
}

int
scratch_count(const struct scratch *s, const char *below)
{
	DIR *directory = opendir(scratch_path(s, below));
	struct dirent *entry;
	int count = 0;

	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			count++;
	closedir(directory);
	return count;
}
