#include "common/login.h"

#include <string.h>

#include "common/limits.h"
#include "tests/unit/common/unit.h"

static void
names(void **state)
{
	static const char *const good[] = { "alice", "a", "Alice.B-c_9",
		"host$", "alice@example.org", "x+y", "+", "_apt", "DOMAIN\\a",
		"a~" };
	static const char *const bad[] = { "", "-x", "-", ".", "..", "../x",
		".x", "a/b", "/", "a/", "a b", " ", " a", "a ", "a\n", "a:b",
		":", "a\x7f", "a\x80", "\xc3\xa9", "a\xff", "a\t", "a\x01" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!login_name_is_valid(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (login_name_is_valid(bad[i]))
			fail_msg("accepted: %s", bad[i]);
}

static void
the_longest_name(void **state)
{
	char name[LIMIT_USER + 2];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[LIMIT_USER] = '\0';
	assert_true(login_name_is_valid(name));
	name[LIMIT_USER] = 'a';
	name[LIMIT_USER + 1] = '\0';
	assert_false(login_name_is_valid(name));
}

static void
homes(void **state)
{
	static const char *const none[] = { "", "/", "/nonexistent",
		"/dev/null", "/var/empty", "home/alice", "~", "/root",
		"/usr/sbin", "/usr/games", "/bin", "/bin/", "//bin", "/./bin",
		"/dev", "/etc", "/lib64/x", "/opt/app", "/run/ircd", "/var",
		"/var/", "//", "/var/cache/man", "/var/spool/lpd",
		"/var/lib/postgresql", "/var/backups", "/var/log", "/var/tmp/x",
		"/var/mail", "/var/www", "/var/www/", "/var/list", "/srv/ftp",
		"/home/../etc", "/home/..", "/.." };
	static const char *const some[] = { "/home/alice", "/home/alice/",
		"/nonexistent/alice", "/nonexistent2", "/var/empty-not", "/h",
		"/srv/alice", "/tmp/x", "/usr2/alice", "/library", "/binary/x",
		"/home/usr", "/home/var/lib", "/var/vmail", "/var/mail/alice",
		"/var/www/alice", "/var/home/alice", "/var/libx", "/data/opt",
		"/home/..alice", "/home/a..", "/mnt/x" };

	(void)state;
	for (size_t i = 0; i < LENGTH(none); i++)
		if (login_has_home(none[i]))
			fail_msg("a home: %s", none[i]);
	for (size_t i = 0; i < LENGTH(some); i++)
		if (!login_has_home(some[i]))
			fail_msg("no home: %s", some[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(the_longest_name),
		cmocka_unit_test(homes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
