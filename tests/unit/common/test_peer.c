#include "tests/unit/common/unit.h"

#include "common/limits.h"
#include "common/peer.h"

#define VERSION "TLSv1.3"
#define CIPHER "TLS_AES_256_GCM_SHA384"

static void
test_hosts(void **state)
{
	static const struct {
		const char *name, *address, *version, *cipher;
		uint16_t port;
		bool valid;
	} rows[] = {
		{ "", "", "", "", 0, true },
		{ "mx.test", "192.0.2.1", "", "", 25, true },
		{ "", "2001:db8::1", VERSION, CIPHER, 25, true },
		{ "mx.test", "::ffff:192.0.2.1", VERSION, "ECDHE-X:Y+Z", 1,
		    true },
		/* Nothing is said of a host that there is not. */
		{ "mx.test", "", "", "", 0, false },
		{ "", "", "", "", 25, false },
		{ "", "", VERSION, CIPHER, 0, false },
		{ "", "192.0.2.1", "", "", 0, false },
		{ "", "192.0.2.256", "", "", 25, false },
		{ "", "192.0.2.1 ", "", "", 25, false },
		{ "", "fe80::1%eth0", "", "", 25, false },
		{ "mx test", "192.0.2.1", "", "", 25, false },
		{ "mx.test\n", "192.0.2.1", "", "", 25, false },
		/* Both or none. */
		{ "", "192.0.2.1", VERSION, "", 25, false },
		{ "", "192.0.2.1", "", CIPHER, 25, false },
		{ "", "192.0.2.1", "TLS v1", CIPHER, 25, false },
		{ "", "192.0.2.1", VERSION, "\x1b[2J", 25, false },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(
		    peer_is_valid(rows[i].name, rows[i].address, rows[i].port,
			rows[i].version, rows[i].cipher),
		    rows[i].valid);
}

static void
test_tls_names_are_bounded(void **state)
{
	char name[LIMIT_TLS_NAME + 2] = "";

	(void)state;
	for (size_t i = 0; i < LIMIT_TLS_NAME; i++)
		name[i] = 'x';
	assert_true(peer_tls_is_valid(VERSION, name));
	name[LIMIT_TLS_NAME] = 'x';
	assert_false(peer_tls_is_valid(VERSION, name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_tls_names_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
