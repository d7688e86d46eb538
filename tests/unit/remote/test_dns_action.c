/* The table of DNS outcomes, row by row. */
#include "test.h"

#include "deliver/remote/dns_action.h"

static const struct row {
	enum dns_kind kind;
	enum dns_outcome outcome;
	enum dns_action action;
	const char *status;
} rows[] = {
	{ DNS_MX, DNS_FOUND, DNS_ACTION_USE, "" },
	{ DNS_MX, DNS_NO_DATA, DNS_ACTION_IMPLICIT, "" },
	{ DNS_MX, DNS_NO_NAME, DNS_ACTION_FAIL, "5.1.2" },
	{ DNS_MX, DNS_SERVFAIL, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_MX, DNS_REFUSED, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_MX, DNS_TIMEOUT, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_MX, DNS_BOGUS, DNS_ACTION_DEFER, "4.7.5" },
	{ DNS_A, DNS_FOUND, DNS_ACTION_USE, "" },
	{ DNS_A, DNS_NO_DATA, DNS_ACTION_NONE, "" },
	{ DNS_A, DNS_NO_NAME, DNS_ACTION_NONE, "" },
	{ DNS_A, DNS_SERVFAIL, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_A, DNS_REFUSED, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_A, DNS_TIMEOUT, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_A, DNS_BOGUS, DNS_ACTION_DEFER, "4.7.5" },
	{ DNS_AAAA, DNS_FOUND, DNS_ACTION_USE, "" },
	{ DNS_AAAA, DNS_NO_DATA, DNS_ACTION_NONE, "" },
	{ DNS_AAAA, DNS_NO_NAME, DNS_ACTION_NONE, "" },
	{ DNS_AAAA, DNS_SERVFAIL, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_AAAA, DNS_REFUSED, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_AAAA, DNS_TIMEOUT, DNS_ACTION_DEFER, "4.4.3" },
	{ DNS_AAAA, DNS_BOGUS, DNS_ACTION_DEFER, "4.7.5" },
};

static void
test_rows(void **unused)
{
	(void)unused;
	/* each question and each outcome has its row */
	assert_int_equal(LENGTH(rows), 3 * DNS_OUTCOMES);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct dns_verdict *v =
		    dns_verdict(rows[i].kind, rows[i].outcome);

		assert_int_equal(v->action, rows[i].action);
		assert_memory_equal(
		    v->status, rows[i].status, strlen(rows[i].status));
		if (rows[i].status[0] == '\0')
			assert_string_equal(v->status, "");
		/* a failure to learn the answer is never final */
		if (!dns_outcome_is_final(rows[i].outcome))
			assert_int_equal(v->action, DNS_ACTION_DEFER);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
