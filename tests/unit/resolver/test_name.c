/* The names that are asked for. */
#include "test.h"

#include "resolver/name.h"

static const struct row {
	enum dns_kind kind;
	const char *text, *name; /* NULL: refused */
} rows[] = {
	{ DNS_MX, "example.org", "example.org." },
	{ DNS_A, "a.b.example.org", "a.b.example.org." },
	{ DNS_AAAA, "localhost", "localhost." },
	{ DNS_A, "_x.example.org", "_x.example.org." },
	{ DNS_MX, "", NULL },
	{ DNS_MX, ".", NULL },
	{ DNS_MX, "example..org", NULL },
	{ DNS_MX, "exa mple.org", NULL },
	{ DNS_MX, "exa\\032mple.org", NULL },
	{ DNS_MX, "[192.0.2.1]", NULL },
	{ DNS_PTR, "192.0.2.1", "1.2.0.192.in-addr.arpa." },
	{ DNS_PTR, "255.254.253.252", "252.253.254.255.in-addr.arpa." },
	{ DNS_PTR, "2001:db8::567:89ab",
	    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	    "ip6.arpa." },
	{ DNS_PTR, "::",
	    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	    "ip6.arpa." },
	{ DNS_PTR, "example.org", NULL },
	{ DNS_PTR, "", NULL },
	{ DNS_PTR, "192.0.2", NULL },
	{ DNS_PTR, "192.0.2.1 ", NULL },
	{ DNS_PTR, "2001:db8::1%eth0", NULL },
};

static void
test_rows(void **unused)
{
	char name[NAME_SIZE];

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		int made = name_make(rows[i].kind, rows[i].text, name);

		if ((made == 0) != (rows[i].name != NULL))
			fail_msg("\"%s\": %d", rows[i].text, made);
		if (made == 0)
			assert_string_equal(name, rows[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
