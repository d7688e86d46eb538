/* Addresses as text and as octets. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "deliver/remote/endpoint.h"

static const struct row {
	const char *text;
	int family;
	const char *formatted; /* with the name "mx" and port 25 */
} rows[] = {
	{ "192.0.2.1", AF_INET, "mx[192.0.2.1]:25" },
	{ "[192.0.2.1]", AF_INET, "mx[192.0.2.1]:25" },
	{ "2001:db8::1", AF_INET6, "mx[2001:db8::1]:25" },
	{ "[IPv6:2001:DB8::1]", AF_INET6, "mx[2001:db8::1]:25" },
	{ "[ipv6:::1]", AF_INET6, "mx[::1]:25" },
	{ "", 0, NULL },
	{ "[", 0, NULL },
	{ "[]", 0, NULL },
	{ "[IPv6:]", 0, NULL },
	{ "mx.example.org", 0, NULL },
	{ "192.0.2", 0, NULL },
	{ "[192.0.2.1", 0, NULL },
	{ "[IPv6:2001:db8::1%eth0]", 0, NULL },
	{ "[2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]",
	    0, NULL },
};

static void
test_rows(void **unused)
{
	char text[ENDPOINT_TEXT_SIZE];

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct endpoint e;
		int parsed = endpoint_parse(rows[i].text, 25, &e);

		assert_int_equal(parsed, rows[i].formatted == NULL ? -1 : 0);
		if (parsed == -1)
			continue;
		assert_int_equal(e.family, rows[i].family);
		assert_int_equal(e.port, 25);
		endpoint_format(&e, "mx", text);
		assert_string_equal(text, rows[i].formatted);
	}
}

static void
test_sockaddr(void **unused)
{
	struct sockaddr_storage s;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct endpoint e;
	char text[INET6_ADDRSTRLEN];

	(void)unused;
	assert_int_equal(endpoint_parse("192.0.2.7", 2525, &e), 0);
	assert_int_equal(endpoint_sockaddr(&e, &s), sizeof(v4));
	memcpy(&v4, &s, sizeof(v4));
	assert_int_equal(v4.sin_family, AF_INET);
	assert_int_equal(ntohs(v4.sin_port), 2525);
	assert_string_equal(
	    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text)), "192.0.2.7");
	assert_int_equal(endpoint_parse("2001:db8::7", 25, &e), 0);
	assert_int_equal(endpoint_sockaddr(&e, &s), sizeof(v6));
	memcpy(&v6, &s, sizeof(v6));
	assert_int_equal(v6.sin6_family, AF_INET6);
	assert_int_equal(ntohs(v6.sin6_port), 25);
	assert_string_equal(
	    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text)),
	    "2001:db8::7");
}

static void
test_equal(void **unused)
{
	struct endpoint a, b;

	(void)unused;
	assert_int_equal(endpoint_parse("192.0.2.7", 25, &a), 0);
	assert_int_equal(endpoint_parse("[192.0.2.7]", 25, &b), 0);
	assert_true(endpoint_is_equal(&a, &b));
	b.port = 26;
	assert_false(endpoint_is_equal(&a, &b));
	assert_int_equal(endpoint_parse("192.0.2.8", 25, &b), 0);
	assert_false(endpoint_is_equal(&a, &b));
	assert_int_equal(endpoint_parse("::1", 25, &b), 0);
	assert_false(endpoint_is_equal(&a, &b));
}

/* What each address is, beside one host elsewhere. */
static void
test_kinds(void **unused)
{
	static const struct {
		const char *address;
		bool loopback, local_or_group;
	} kinds[] = {
		{ "127.0.0.1", true, false },
		{ "127.255.255.255", true, false },
		{ "0.0.0.0", true, false },
		{ "0.1.2.3", true, false },
		{ "::1", true, false },
		{ "::", true, false },
		{ "::ffff:127.0.0.1", true, false },
		{ "::ffff:0.0.0.0", true, false },
		{ "169.254.0.0", false, true },
		{ "169.254.255.255", false, true },
		{ "224.0.0.0", false, true },
		{ "239.255.255.255", false, true },
		{ "255.255.255.255", false, true },
		{ "fe80::", false, true },
		{ "febf:ffff::1", false, true },
		{ "ff00::", false, true },
		{ "ffff:ffff::1", false, true },
		{ "::ffff:169.254.1.2", false, true },
		{ "::ffff:255.255.255.255", false, true },
		{ "::2", false, false },
		{ "126.255.255.255", false, false },
		{ "128.0.0.1", false, false },
		{ "1.0.0.127", false, false },
		{ "192.0.2.1", false, false },
		{ "169.253.255.255", false, false },
		{ "169.255.0.0", false, false },
		{ "223.255.255.255", false, false },
		{ "240.0.0.1", false, false },
		{ "255.255.255.254", false, false },
		{ "10.0.0.1", false, false },
		{ "2001:db8::1", false, false },
		{ "7f00::1", false, false },
		{ "fe7f::1", false, false },
		{ "fec0::1", false, false },
		{ "fd00::1", false, false },
		{ "::ffff:192.0.2.1", false, false },
		{ "::fffe:127.0.0.1", false, false },
		{ "::ffff:0:7f00:1", false, false },
	};
	struct endpoint e;

	(void)unused;
	for (size_t i = 0; i < LENGTH(kinds); i++) {
		assert_int_equal(endpoint_parse(kinds[i].address, 25, &e), 0);
		if (endpoint_is_loopback(&e) != kinds[i].loopback ||
		    endpoint_is_local_or_group(&e) != kinds[i].local_or_group)
			fail_msg("%s", kinds[i].address);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
