/* Finding, making and refusing Maildirs, as a user that is not root. */
#include "deliver/local/place.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>
#include <cmocka.h>

#include "common/config.h"
#include "common/sandbox.h"
#include "tests/unit/deliver_local/as_user.h"

enum { OPENED, REFUSED, WRONG };

static const char *path;
static const char *reason; /* part of the reply that is expected */

static int
try_open(struct scratch *s)
{
	struct result why = { .outcome = REPORT_DELIVERED };
	struct place place;

	if (place_open(&place, &s->owner, path, &why) == 0) {
		place_close(&place);
		return OPENED;
	}
	if (reason == NULL || strstr(why.reply, reason) == NULL) {
		fprintf(stderr, "reply: %s\n", why.reply);
		return WRONG;
	}
	/* Nothing that is wrong with a mailbox ever bounces mail. */
	return why.outcome == REPORT_DEFERRED &&
		       why.scope == REPORT_SCOPE_DESTINATION &&
		       place.tmp == -1 && place.new == -1
		   ? REFUSED
		   : WRONG;
}

static void
expect(struct scratch *s, const char *where, int result, const char *why)
{
	path = where;
	reason = why;
	assert_int_equal(scratch_as_owner(s, try_open), result);
}

static void
make(struct scratch *s, const char *below, mode_t mode, uid_t uid)
{
	const char *at = scratch_path(s, below);

	assert_int_equal(mkdir(at, 0700), 0);
	assert_int_equal(chmod(at, mode), 0);
	assert_int_equal(chown(at, uid, uid), 0);
}

static void
test_made(void **state)
{
	static const char *const made[] = { "Maildir", "Maildir/tmp",
		"Maildir/new", "Maildir/cur" };
	struct scratch *s = *state;
	struct stat st;

	expect(s, "~/Maildir", OPENED, NULL);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		assert_int_equal(stat(scratch_path(s, made[i]), &st), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0700);
		assert_int_equal(st.st_uid, s->owner.uid);
	}
	expect(s, "~/Maildir", OPENED, NULL);
	assert_int_equal(rmdir(scratch_path(s, "Maildir/cur")), 0);
	expect(s, "~/Maildir", OPENED, NULL);
	assert_int_equal(stat(scratch_path(s, "Maildir/cur"), &st), 0);
	expect(s, "~/mail//in/box", OPENED, NULL);
	assert_int_equal(scratch_count(s, "mail/in/box"), 3);
}

static void
test_absolute(void **state)
{
	struct scratch *s = *state;

	expect(s, scratch_path(s, "box"), OPENED, NULL);
	assert_int_equal(scratch_count(s, "box"), 3);
	/* Only the last part is made: the rest is the administrator's. */
	expect(s, scratch_path(s, "not/there"), REFUSED, "No such file");
	expect(s, "/", REFUSED, "belongs to somebody else");
	expect(s, "relative/path", REFUSED, "no home");
}

static void
test_home(void **state)
{
	struct scratch *s = *state;
	struct scratch other = *s;

	strlcpy(other.owner.home, scratch_path(s, "gone"),
	    sizeof(other.owner.home));
	expect(&other, "~/Maildir", REFUSED, "No such file");
	strcpy(other.owner.home, "/");
	expect(&other, "~/Maildir", REFUSED, "no home");
	strcpy(other.owner.home, "/nonexistent");
	expect(&other, "~/Maildir", REFUSED, "no home");
	strcpy(other.owner.home, "/usr/sbin");
	expect(&other, "~/Maildir", REFUSED, "one of the system's");
	/* That is no matter to what is not below it. */
	expect(&other, scratch_path(s, "box"), OPENED, NULL);
	strcpy(other.owner.home, "");
	expect(&other, "~/Maildir", REFUSED, "no home");
	/* The administrator may lay a link for a home. */
	strlcpy(other.owner.home, scratch_path(s, "link"),
	    sizeof(other.owner.home));
	assert_int_equal(symlink(s->owner.home, other.owner.home), 0);
	expect(&other, "~/Maildir", OPENED, NULL);
	assert_int_equal(chmod(s->owner.home, 0777), 0);
	expect(s, "~/Maildir", REFUSED, "anybody can write");
	assert_int_equal(chmod(s->owner.home, 0755), 0);
	assert_int_equal(chown(s->owner.home, 0, 0), 0);
	expect(s, "~/Maildir", OPENED, NULL);
	assert_int_equal(chown(s->owner.home, 4711, 4711), 0);
	expect(s, "~/Maildir", REFUSED, "belongs to somebody else");
}

static void
test_links(void **state)
{
	struct scratch *s = *state;

	make(s, "real", 0700, s->owner.uid);
	assert_int_equal(symlink("real", scratch_path(s, "Maildir")), 0);
	expect(s, "~/Maildir", REFUSED, "is a symbolic link");
	expect(s, "~/Maildir/sub", REFUSED, "is a symbolic link");
	make(s, "box", 0700, s->owner.uid);
	assert_int_equal(symlink("/tmp", scratch_path(s, "box/new")), 0);
	expect(s, "~/box", REFUSED, "box/new: is a symbolic link");
	assert_int_equal(unlink(scratch_path(s, "box/new")), 0);
	assert_int_equal(symlink("nowhere", scratch_path(s, "box/new")), 0);
	expect(s, "~/box", REFUSED, "is a symbolic link");
	expect(s, "~/../real", REFUSED, "dots");
	expect(s, "~/./real", REFUSED, "dots");
}

static void
test_other_things(void **state)
{
	struct scratch *s = *state;
	int fd = creat(scratch_path(s, "file"), 0600);

	assert_int_not_equal(fd, -1);
	close(fd);
	expect(s, "~/file", REFUSED, "Not a directory");
	make(s, "open", 0777, s->owner.uid);
	expect(s, "~/open", REFUSED, "anybody can write");
	make(s, "others", 0755, 4711);
	expect(s, "~/others", REFUSED, "belongs to somebody else");
	make(s, "shut", 0500, s->owner.uid);
	expect(s, "~/shut", REFUSED, "Permission denied");
	make(s, "box", 0700, s->owner.uid);
	make(s, "box/tmp", 0700, 0);
	expect(s, "~/box", REFUSED, "box/tmp: belongs to somebody else");
}

/* A Maildir that is there is all that a worker reaches; else its parent. */
static int
check_roots(struct scratch *s)
{
	struct mailbox_config boxes[] = {
		{ .path = (char[]){ "~/Maildir" } },
		{ .path = (char[]){ "~/later" } },
		{ .path = (char[]){ "/nowhere/at/all" } },
	};
	const struct config config = { .mailboxes = boxes, .mailbox_count = 3 };
	const struct sandbox_path *roots = place_roots(&config, &s->owner);

	if (roots == NULL ||
	    strcmp(roots[0].path, scratch_path(s, "Maildir")) != 0 ||
	    strcmp(roots[1].path, s->owner.home) != 0 || !roots[0].writable ||
	    !roots[1].writable || roots[2].path != NULL)
		return 1;
	return 0;
}

static void
test_roots(void **state)
{
	struct scratch *s = *state;

	make(s, "Maildir", 0700, s->owner.uid);
	assert_int_equal(scratch_as_owner(s, check_roots), 0);
	assert_int_equal(rmdir(scratch_path(s, "Maildir")), 0);
	assert_int_equal(symlink("/etc", scratch_path(s, "Maildir")), 0);
	/* A link is no Maildir: it opens nothing beyond the home. */
	assert_int_equal(scratch_as_owner(s, check_roots), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_made, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(
		    test_absolute, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(
		    test_home, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(
		    test_links, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(
		    test_other_things, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(
		    test_roots, scratch_make, scratch_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
