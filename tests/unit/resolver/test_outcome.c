/* The table of what libunbound says, row by row. */
#include "test.h"

#include "resolver/outcome.h"

static const struct row {
	unsigned int rcode;
	bool bogus, records;
	enum dns_outcome outcome;
} rows[] = {
	{ 0, false, true, DNS_FOUND },
	{ 0, false, false, DNS_NO_DATA },
	{ 1, false, false, DNS_SERVFAIL },
	{ 1, false, true, DNS_SERVFAIL },
	{ 2, false, false, DNS_SERVFAIL },
	{ 2, false, true, DNS_SERVFAIL },
	{ 3, false, false, DNS_NO_NAME },
	{ 3, false, true, DNS_NO_NAME },
	{ 4, false, false, DNS_SERVFAIL },
	{ 4, false, true, DNS_SERVFAIL },
	{ 5, false, false, DNS_REFUSED },
	{ 5, false, true, DNS_REFUSED },
};

static void
test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(
		    outcome_of(rows[i].rcode, rows[i].bogus, rows[i].records),
		    rows[i].outcome);
}

/* Whatever else it is, a forgery is a forgery, and a number that we do not
 * know is a failure to learn the answer. */
static void
test_all_numbers(void **unused)
{
	(void)unused;
	for (unsigned int rcode = 0; rcode < 5000; rcode++)
		for (int records = 0; records <= 1; records++) {
			enum dns_outcome outcome =
			    outcome_of(rcode, false, records != 0);

			assert_int_equal(
			    outcome_of(rcode, true, records != 0), DNS_BOGUS);
			if (rcode > 5)
				assert_int_equal(outcome, DNS_SERVFAIL);
			assert_int_equal(dns_outcome_is_final(outcome),
			    rcode == 0 || rcode == 3);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_all_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
