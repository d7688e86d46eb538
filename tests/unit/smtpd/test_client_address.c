#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/client_address.h"

static struct in6_addr
read_four(const char *text)
{
	struct sockaddr_in from = { .sin_family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, text, &from.sin_addr), 1);
	return client_address_read((const struct sockaddr *)&from);
}

static struct in6_addr
read_six(const char *text)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6 };

	assert_int_equal(inet_pton(AF_INET6, text, &from.sin6_addr), 1);
	return client_address_read((const struct sockaddr *)&from);
}

static void
check(struct in6_addr key, const char *text, bool loopback)
{
	char formatted[LIMIT_ADDRESS_TEXT + 1];

	client_address_format(&key, formatted);
	assert_string_equal(formatted, text);
	assert_int_equal(client_address_is_loopback(&key), loopback);
}

static void
test_text(void **unused)
{
	(void)unused;
	check(read_four("192.0.2.1"), "192.0.2.1", false);
	check(read_four("127.255.0.1"), "127.255.0.1", true);
	check(read_four("126.0.0.1"), "126.0.0.1", false);
	check(read_six("2001:db8::1"), "2001:db8::1", false);
	check(read_six("::1"), "::1", true);
	check(read_six("7f00::1"), "7f00::1", false);
	check(read_six("::ffff:192.0.2.1"), "192.0.2.1", false);
	check(read_six("::ffff:127.0.0.1"), "127.0.0.1", true);
}

/* The limit for one address counts it whichever socket it came to. */
static void
test_same_client(void **unused)
{
	struct in6_addr four = read_four("192.0.2.1");
	struct in6_addr mapped = read_six("::ffff:192.0.2.1");

	(void)unused;
	assert_memory_equal(&four, &mapped, sizeof(four));
}

/* An address is an IPv4 address or a network of IPv6: whoever has one IPv6
 * address has 2^64 of them. */
static void
test_network(void **unused)
{
	static const char *const same[][2] = {
		{ "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff" },
		{ "2001:db8:1:2::1", "2001:db8:1:2::" },
	};
	static const char *const others[][2] = {
		{ "2001:db8:1:2::1", "2001:db8:1:3::1" },
		{ "::1", "::2" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2" },
	};
	struct in6_addr a, b;

	(void)unused;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		a = read_six(same[i][0]);
		b = read_six(same[i][1]);
		a = client_address_network(&a);
		b = client_address_network(&b);
		assert_memory_equal(&a, &b, sizeof(a));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		a = read_six(others[i][0]);
		b = read_six(others[i][1]);
		a = client_address_network(&a);
		b = client_address_network(&b);
		assert_memory_not_equal(&a, &b, sizeof(a));
	}
	a = read_six("::1");
	a = client_address_network(&a);
	assert_true(client_address_is_loopback(&a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_same_client),
		cmocka_unit_test(test_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
