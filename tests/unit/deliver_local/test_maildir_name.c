#include "deliver/local/maildir_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct maildir_name sample = {
	.seconds = 1700000000,
	.microseconds = 42,
	.pid = 789,
	.counter = 3,
	.random = 0x0123456789abcdef,
	.id = 0x1234567890abcdef,
	.hostname = "mail.example.org",
};

static void
test_parts(void **state)
{
	char unique[MAILDIR_NAME_SIZE], final[MAILDIR_NAME_SIZE];

	(void)state;
	maildir_name_unique(&sample, unique);
	assert_string_equal(unique,
	    "1700000000.M000042P789Q3R0123456789abcdef_14d2pf28aqkff."
	    "mail.example.org");
	maildir_name_final(unique, 100, 7, final);
	assert_string_equal(final,
	    "1700000000.M000042P789Q3R0123456789abcdef_14d2pf28aqkff."
	    "mail.example.org,S=100,W=107");
}

/* The Maildir page: a slash and a colon in the host name are replaced; what a
 * file name or a shell would stumble over is left out. */
static void
test_hostname(void **state)
{
	struct maildir_name name = sample;
	char unique[MAILDIR_NAME_SIZE];

	(void)state;
	name.hostname = "a/b:c\n \xff"
			"d";
	maildir_name_unique(&name, unique);
	assert_string_equal(
	    strrchr(unique, '_'), "_14d2pf28aqkff.a\\057b\\072cd");
}

/* Everything at its longest still fits, with both sizes. */
static void
test_longest(void **state)
{
	char hostname[300], unique[MAILDIR_NAME_SIZE], final[MAILDIR_NAME_SIZE];
	struct maildir_name name = {
		.seconds = UINT64_MAX,
		.microseconds = UINT32_MAX,
		.pid = UINT32_MAX,
		.counter = UINT32_MAX,
		.random = UINT64_MAX,
		.id = UINT64_MAX,
		.hostname = hostname,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hostname) - 1; i++)
		hostname[i] = i % 2 == 0 ? '/' : 'h';
	hostname[sizeof(hostname) - 1] = '\0';
	maildir_name_unique(&name, unique);
	maildir_name_final(unique, UINT64_MAX - 1, 1, final);
	assert_int_equal(strncmp(final, unique, strlen(unique)), 0);
	assert_string_equal(final + strlen(unique),
	    ",S=18446744073709551614,W=18446744073709551615");
	assert_null(strchr(final, '/'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_hostname),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
