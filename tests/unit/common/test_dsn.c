#include "common/dsn.h"

#include <string.h>

#include "common/limits.h"
#include "common/mail.h"
#include "tests/unit/common/unit.h"

static void
test_envid(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "", true },
		{ "QQ314159", true },
		{ "a+2Bb+3Dc+20d", true },
		{ "+7E", true },
		{ "a=b", false },
		{ "a b", false },
		{ "a\tb", false },
		{ "a\r\nDATA", false },
		{ "caf\xc3\xa9", false },
		{ "+", false },
		{ "+2", false },
		{ "+2b", false }, /* capital letters only */
		{ "+2G", false },
		{ "+0D+0A", false }, /* a line of its own in a report */
		{ "+1F", false },
		{ "+7F", false },
		{ "+80", false },
	};
	char text[LIMIT_ENVID + 2];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(
		    dsn_envid_is_valid(cases[i].text), cases[i].valid);
	memset(text, 'x', sizeof(text));
	text[LIMIT_ENVID] = '\0';
	assert_true(dsn_envid_is_valid(text));
	text[LIMIT_ENVID] = 'x';
	text[LIMIT_ENVID + 1] = '\0';
	assert_false(dsn_envid_is_valid(text));
}

static void
test_orcpt(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "", true },
		{ "rfc822;a@example.org", true },
		{ "RFC822;a+2Bb@example.org", true },
		{ "x-other;a;b", true },
		{ "rfc822", false },
		{ "rfc822;", false },
		{ ";a@example.org", false },
		{ "rfc 822;a", false },
		{ "rfc.822;a", false },
		{ "rf=c;a", false },
		{ "rfc822;a=b", false },
		{ "rfc822;a b", false },
		{ "rfc822;a+0Ab", false },
		{ "rfc822;a\nb", false },
	};
	char text[LIMIT_ORCPT + 2];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(
		    dsn_orcpt_is_valid(cases[i].text), cases[i].valid);
	memset(text, 'x', sizeof(text));
	text[3] = ';';
	text[LIMIT_ORCPT] = '\0';
	assert_true(dsn_orcpt_is_valid(text));
	text[LIMIT_ORCPT] = 'x';
	text[LIMIT_ORCPT + 1] = '\0';
	assert_false(dsn_orcpt_is_valid(text));
}

static void
test_notify(void **state)
{
	static const struct {
		unsigned int notify;
		bool valid;
		const char *text;
	} cases[] = {
		{ 0, true, "" },
		{ DSN_NOTIFY_NEVER, true, "NEVER" },
		{ DSN_NOTIFY_SUCCESS, true, "SUCCESS" },
		{ DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY, true,
		    "FAILURE,DELAY" },
		{ DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY,
		    true, "SUCCESS,FAILURE,DELAY" },
		{ DSN_NOTIFY_NEVER | DSN_NOTIFY_DELAY, false, "" },
		{ 0x10, false, "" },
		{ 0xff, false, "" },
	};
	char text[DSN_NOTIFY_TEXT];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(
		    dsn_notify_is_valid(cases[i].notify), cases[i].valid);
		assert_string_equal(
		    dsn_notify_text(text, cases[i].notify), cases[i].text);
	}
}

static void
test_ret(void **state)
{
	(void)state;
	assert_true(dsn_ret_is_valid(DSN_RET_NONE));
	assert_true(dsn_ret_is_valid(DSN_RET_HDRS));
	assert_false(dsn_ret_is_valid(DSN_RETS));
	assert_string_equal(dsn_ret_name(DSN_RET_NONE), "");
	assert_string_equal(dsn_ret_name(DSN_RET_FULL), "FULL");
	assert_string_equal(dsn_ret_name(DSN_RET_HDRS), "HDRS");
	assert_string_equal(dsn_ret_name(DSN_RETS), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_envid),
		cmocka_unit_test(test_orcpt),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_ret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
