#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

#include "common/network.h"
#include "tests/unit/common/unit.h"

/* "" for what is no network. */
static const struct {
	const char *text, *canonical;
} parsed[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "192.0.2.1/32", "192.0.2.1" },
	{ "192.0.2.0/24", "192.0.2.0/24" },
	{ "192.0.2.255/24", "192.0.2.0/24" }, /* host bits are cleared */
	{ "192.0.2.255/25", "192.0.2.128/25" },
	{ "192.0.2.255/31", "192.0.2.254/31" },
	{ "255.255.255.255/0", "0.0.0.0/0" },
	{ "255.255.255.255/1", "128.0.0.0/1" },
	{ "::1", "::1" },
	{ "2001:DB8::/32", "2001:db8::/32" },
	{ "2001:db8:ffff::1/33", "2001:db8:8000::/33" },
	{ "ffff::/0", "::/0" },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	{ "", "" },
	{ "/", "" },
	{ "/8", "" },
	{ "192.0.2.1/", "" },
	{ "192.0.2.1/33", "" },
	{ "192.0.2.1/-1", "" },
	{ "192.0.2.1/+8", "" },
	{ "192.0.2.1/ 8", "" },
	{ "192.0.2.1/8 ", "" },
	{ "192.0.2.1/8/8", "" },
	{ "192.0.2.1/99999999999999999999", "" },
	{ "192.0.2", "" },
	{ "192.0.2.256", "" },
	{ "192.0.2.01", "" },
	{ "192.0.2.1.", "" },
	{ " 192.0.2.1", "" },
	{ "::/129", "" },
	{ ":::", "" },
	{ "[::1]", "" },
	{ "::1%lo", "" },
	{ "1:2:3:4:5:6:7:8:9", "" },
	{ "mail.example.org", "" },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", "" },
};

static void
networks_are_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(parsed); i++) {
		struct network n;
		char *text;

		if (network_parse(parsed[i].text, &n) == -1) {
			assert_string_equal(parsed[i].canonical, "");
			continue;
		}
		text = network_format(&n);
		assert_non_null(text);
		assert_string_equal(text, parsed[i].canonical);
		free(text);
	}
}

static const struct {
	const char *network, *address;
	bool contained;
} contained[] = {
	{ "192.0.2.0/24", "192.0.2.0", true },
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.0/24", "192.0.1.255", false },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.128/25", "192.0.2.128", true },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "127.0.0.0/8", "127.1.2.3", true },
	{ "127.0.0.0/8", "::1", false },
	{ "2001:db8::/32", "2001:db8:1::1", true },
	{ "2001:db8::/32", "2001:db9::", false },
	{ "2001:db8::/33", "2001:db8:8000::", false },
	{ "::1", "::1", true },
	{ "::1", "::2", false },
	{ "::/0", "2001:db8::1", true },
	/* IPv4 clients of a socket that takes both are IPv4 clients. */
	{ "192.0.2.0/24", "::ffff:192.0.2.7", true },
	{ "192.0.2.0/24", "::ffff:192.0.3.7", false },
	{ "::/0", "::ffff:192.0.2.7", false },
	{ "::/0", "192.0.2.7", false },
};

static bool
contains(const char *network, const char *address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct network n;

	assert_int_equal(network_parse(network, &n), 0);
	if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
		return network_contains(&n, (struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
	return network_contains(&n, (struct sockaddr *)&six);
}

static void
addresses_are_found_in_networks(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(contained); i++)
		if (contains(contained[i].network, contained[i].address) !=
		    contained[i].contained)
			fail_msg("%s in %s", contained[i].address,
			    contained[i].network);
}

static void
other_families_are_in_no_network(void **state)
{
	struct sockaddr_storage local = { .ss_family = AF_UNIX };
	struct network n;

	(void)state;
	assert_int_equal(network_parse("0.0.0.0/0", &n), 0);
	assert_false(network_contains(&n, (struct sockaddr *)&local));
	assert_int_equal(network_parse("::/0", &n), 0);
	assert_false(network_contains(&n, (struct sockaddr *)&local));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_parsed),
		cmocka_unit_test(addresses_are_found_in_networks),
		cmocka_unit_test(other_families_are_in_no_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
