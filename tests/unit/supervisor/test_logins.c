#include "tests/unit/supervisor/test.h"

#include <unistd.h>

#include "supervisor/logins.h"
#include "supervisor/process.h"

/* Whose uid is that? */

static unsigned int told;
static char told_login[LIMIT_USER + 1];

void
process_tell(struct process *p, struct message *m, int fd_lent)
{
	(void)p;
	assert_int_equal(fd_lent, -1);
	assert_int_equal(m->type, MESSAGE_LOGIN);
	snprintf(told_login, sizeof(told_login), "%s", m->login.login);
	told++;
}

static const char *
find(const char *passwd, uid_t uid)
{
	static char login[LIMIT_USER + 1];
	char path[] = "/tmp/test-logins-XXXXXX";
	int fd = mkstemp(path);
	size_t length = strlen(passwd);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, passwd, length), (ssize_t)length);
	close(fd);
	memset(login, 'x', sizeof(login));
	logins_find(path, uid, login);
	unlink(path);
	return login;
}

static void
test_the_first_name_of_a_uid(void **context)
{
	static const char passwd[] = "root:x:0:0::/root:/bin/sh\n"
				     "alice:x:1000:1000::/home/alice:/bin/sh\n"
				     "alias:x:1000:1000::/home/alice:/bin/sh\n"
				     "bob:x:1001:1001::/home/bob:/bin/sh\n";

	(void)context;
	assert_string_equal(find(passwd, 1000), "alice");
	assert_string_equal(find(passwd, 1001), "bob");
	assert_string_equal(find(passwd, 0), "root");
	assert_string_equal(find(passwd, 1002), "");
	assert_string_equal(find("", 0), "");
}

/* What cannot have mail is nobody's login. */
static void
test_odd_files(void **context)
{
	char passwd[20000];

	(void)context;
	assert_string_equal(find("nonsense\n:::\nbob:x:1:1::/:\n", 1), "bob");
	assert_string_equal(find("a/b:x:1:1::/:/bin/sh\n", 1), "");
	assert_string_equal(
	    find("-f:x:1:1::/:/bin/sh\nok:x:1:1::/:\n", 1), "ok");
	snprintf(passwd, sizeof(passwd), "%065d:x:1:1::/:\n", 1);
	assert_string_equal(find(passwd, 1), "");
	snprintf(passwd, sizeof(passwd), "%016000d:x:1:1::/:\n", 1);
	assert_string_equal(find(passwd, 1), "");
}

static void
test_no_file(void **context)
{
	char login[LIMIT_USER + 1] = "x";

	(void)context;
	logins_find("/nonexistent/passwd", 0, login);
	assert_string_equal(login, "");
}

/* A queue that was taken over cannot keep root reading. */
static void
test_who_asks_too_much(void **context)
{
	struct message_who root = { .uid = 0 }, none = { .uid = 4294967294U };
	unsigned int answered = 0;

	(void)context;
	assert_int_equal(logins_answer(NULL, &root), 0);
	assert_string_equal(told_login, "root");
	assert_int_equal(logins_answer(NULL, &none), 0);
	assert_string_equal(told_login, "");
	told = 0;
	for (int i = 0; i < 1000; i++)
		if (logins_answer(NULL, &root) == 0)
			answered++;
	assert_int_equal(answered, told);
	assert_true(answered >= LOGINS_A_SECOND - 2);
	assert_true(answered <= 3 * LOGINS_A_SECOND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_name_of_a_uid),
		cmocka_unit_test(test_odd_files),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_who_asks_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
