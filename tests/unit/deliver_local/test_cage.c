/*
 * What spawn's cage leaves of a file system that the test has made, and which
 * is the root of a child of the test.
 */
#include "deliver/spawn/cage.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/sandbox.h"

#define MOST 40

struct row {
	const char *made[MOST]; /* "folder", "file!", "link > target" */
	const char *mailboxes[4];
	const char *paths[MOST]; /* sorted; writable all but /etc */
};

static const struct row rows[] = {
	{ /* the system's folders are not there, all others are */
	    { "/etc", "/home", "/srv", "/tmp", "/opt", "/usr/bin", "/root",
		"/run", "/library", "/var/lib/dpkg", "/var/spool/cron",
		"/var/mail", "/var/vmail", "/var/log", "/var/tmp", "/x/opt",
		"/initrd.img!" },
	    { NULL },
	    { "/etc", "/home", "/library", "/srv", "/tmp", "/var/mail",
		"/var/vmail", "/x" } },
	{ /* links lead nowhere new */
	    { "/etc", "/usr/bin", "/run/lock", "/data/home", "/var/x",
		"/bin > usr/bin", "/var/run > /run", "/home > data/home",
		"/srv > /usr", "/all > /", "/more > var", "/var/y > lib",
		"/var/lib" },
	    { NULL }, { "/data", "/etc", "/var/x" } },
	{ /* links have put folders of the system elsewhere */
	    { "/etc", "/data/home/alice", "/data/var/lib", "/data/var/mail",
		"/data/software/x", "/home > data/home", "/var > data/var",
		"/opt > data/software", "/srv" },
	    { NULL }, { "/data/home", "/data/var/mail", "/etc", "/srv" } },
	{ /* the configuration names a folder within the system's */
	    { "/etc", "/home", "/var/spool/mail", "/var/lib/archive/box" },
	    { "/var/spool/mail/list", "/var/lib/archive/box", "~/Maildir" },
	    { "/etc", "/home", "/var/lib/archive", "/var/spool/mail" } },
	{ /* but never all of one of them */
	    { "/etc", "/var/lib/box", "/opt/x", "/mail", "/var/spool",
		"/usr/bin", "/var/link > /usr/bin" },
	    { "/var/lib/box", "/opt/box", "/mail", "/var/link" },
	    { "/etc", "/mail", "/mail", "/var/lib/box" } },
	{ /* nor through a link, nor a file; what is missing is left out */
	    { "/etc", "/var/lib/x", "/mail > var/lib", "/usr/box!" },
	    { "/mail/box", "/usr/box", "/var/lib/none/box", "/usr/" },
	    { "/etc" } },
};

static void
make(const char *root, const char *what)
{
	char path[512], *at;
	const char *target = strstr(what, " > ");
	size_t length =
	    target != NULL ? (size_t)(target - what) : strcspn(what, "!");

	snprintf(path, sizeof(path), "%s%.*s", root, (int)length, what);
	for (at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL;
	     *at++ = '/') {
		*at = '\0';
		mkdir(path, 0755);
	}
	if (target != NULL)
		assert_int_equal(symlink(target + 3, path), 0);
	else if (what[length] == '!')
		assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	else if (mkdir(path, 0755) == -1)
		assert_int_equal(access(path, F_OK), 0);
}

static int
compare(const void *a, const void *b)
{
	const struct sandbox_path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* In the child. Text, so that a failure shows all of it. */
static void
print_cage(const struct row *row, char *text, size_t size)
{
	static struct mailbox_config mailboxes[4];
	struct config config = { .mailboxes = mailboxes };
	const struct sandbox_path *found;
	struct sandbox_path paths[MOST] = { { .path = NULL } };
	size_t count = 0;
	char name[] = "m";

	for (unsigned int i = 0; i < 4 && row->mailboxes[i] != NULL; i++) {
		mailboxes[i].name = name;
		mailboxes[i].path = strdup(row->mailboxes[i]);
		config.mailbox_count = i + 1;
	}
	found = cage_paths(&config);
	for (; found != NULL && found[count].path != NULL && count < MOST;
	     count++)
		paths[count] = found[count];
	qsort(paths, count, sizeof(*paths), compare);
	*text = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%s ",
		    paths[i].path, paths[i].writable ? "" : "(r)");
}

static void
ask(const struct row *row, const char *root, char *text, size_t size)
{
	int ends[2];
	ssize_t length;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (chroot(root) == -1 || chdir("/") == -1)
			_exit(1);
		print_cage(row, text, size);
		_exit(write(ends[1], text, strlen(text)) == -1 ? 1 : 0);
	}
	close(ends[1]);
	length = read(ends[0], text, size - 1);
	assert_true(length >= 0);
	text[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int
remove_entry(
    const char *path, const struct stat *st, int type, struct FTW *level)
{
	(void)st;
	(void)type;
	(void)level;
	return remove(path);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char root[] = "/tmp/postern-cage-XXXXXX", text[2048];
		char want[2048] = "";

		assert_non_null(mkdtemp(root));
		for (size_t n = 0; rows[i].made[n] != NULL; n++)
			make(root, rows[i].made[n]);
		ask(&rows[i], root, text, sizeof(text));
		for (size_t n = 0; rows[i].paths[n] != NULL; n++)
			snprintf(want + strlen(want),
			    sizeof(want) - strlen(want), "%s%s ",
			    rows[i].paths[n],
			    strcmp(rows[i].paths[n], "/etc") == 0 ? "(r)" : "");
		assert_int_equal(nftw(root, remove_entry, 8,
				     FTW_DEPTH | FTW_PHYS | FTW_MOUNT),
		    0);
		assert_string_equal(text, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
