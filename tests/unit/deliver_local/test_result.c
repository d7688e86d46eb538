#include "deliver/local/result.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_codes(void **state)
{
	static const struct {
		int error;
		const char *code;
	} codes[] = {
		{ EDQUOT, "4.2.2 " },
		{ ENOSPC, "4.3.1 " },
		{ EFBIG, "4.3.1 " },
		{ EACCES, "4.3.0 " },
		{ EROFS, "4.3.0 " },
		{ EIO, "4.3.0 " },
	};
	struct result r;

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		char want[256];

		result_set_error(
		    &r, REPORT_SCOPE_DESTINATION, codes[i].error, "There");
		snprintf(want, sizeof(want), "%sThere: %s", codes[i].code,
		    strerror(codes[i].error));
		assert_string_equal(r.reply, want);
		/* A lack of ours never bounces mail. */
		assert_int_equal(r.outcome, REPORT_DEFERRED);
		assert_int_equal(r.scope, REPORT_SCOPE_DESTINATION);
	}
}

static void
test_long_reply(void **state)
{
	char what[2 * RESULT_REPLY];
	struct result r;

	(void)state;
	memset(what, 'x', sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	result_set(&r, REPORT_FAILED, REPORT_SCOPE_RECIPIENT, "5.0.0 %s", what);
	assert_int_equal(strlen(r.reply), RESULT_REPLY - 1);
	assert_int_equal(r.outcome, REPORT_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_long_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
