#include "deliver/spawn/account.h"

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_nobody(void **state)
{
	const struct passwd *pw = getpwnam("nobody");
	struct owner owner;
	struct result why;

	(void)state;
	assert_non_null(pw);
	assert_int_equal(account_find("nobody", &owner, &why), 0);
	assert_string_equal(owner.login, "nobody");
	assert_int_equal(owner.uid, pw->pw_uid);
	assert_int_equal(owner.gid, pw->pw_gid);
	assert_string_equal(owner.home, pw->pw_dir);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *login, *reply;
	} refused[] = {
		{ "root", "5.7.1 " },
		{ "no-such-user-x", "5.1.1 " },
		{ "../root", "5.1.1 " },
	};
	struct owner owner;
	struct result why;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(
		    account_find(refused[i].login, &owner, &why), -1);
		assert_int_equal(why.outcome, REPORT_FAILED);
		assert_int_equal(strncmp(why.reply, refused[i].reply, 6), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
