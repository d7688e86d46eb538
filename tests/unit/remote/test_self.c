/* What is ourselves: depends on what we listen on. */
#include "test.h"

#include "common/log.h"
#include "deliver/remote/self.h"

static const struct row {
	const char *listen; /* an address, or "*" */
	const char *target;
	uint16_t port, target_port;
	bool self;
} rows[] = {
	{ "*", "127.0.0.1", 25, 25, true },
	{ "*", "127.9.8.7", 25, 25, true },
	{ "*", "::1", 25, 25, true },
	{ "*", "0.0.0.0", 25, 25, true },
	{ "*", "::", 25, 25, true },
	{ "*", "::ffff:127.0.0.1", 25, 25, true },
	{ "*", "127.0.0.1", 25, 26, false },
	{ "*", "192.0.2.99", 25, 25, false },
	{ "*", "2001:db8::99", 25, 25, false },
	{ "*", "127.0.0.1", 2525, 25, false },
	{ "127.0.0.1", "127.0.0.1", 25, 25, true },
	{ "127.0.0.1", "127.0.0.2", 25, 25, false },
	{ "127.0.0.1", "0.0.0.0", 25, 25, false },
	{ "::1", "::1", 25, 25, true },
	{ "::1", "127.0.0.1", 25, 25, false },
	{ "0.0.0.0", "127.0.0.1", 25, 25, true },
	{ "192.0.2.99", "192.0.2.99", 25, 25, true },
	{ "192.0.2.99", "::ffff:192.0.2.99", 25, 25, true },
};

static void
test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char listen[64], hostname[] = "mail.example.org";
		struct listen_config l = { listen, rows[i].port };
		struct config config = {
			.hostname = hostname, .listens = &l, .listen_count = 1
		};
		struct endpoint e;

		snprintf(listen, sizeof(listen), "%s", rows[i].listen);
		self_init(&config);
		assert_int_equal(
		    endpoint_parse(rows[i].target, rows[i].target_port, &e), 0);
		if (self_is_endpoint(&e) != rows[i].self)
			fail_msg("%s:%u while listening on %s:%u",
			    rows[i].target, rows[i].target_port, rows[i].listen,
			    rows[i].port);
	}
}

static void
test_name(void **unused)
{
	char hostname[] = "mail.example.org";
	struct config config = { .hostname = hostname };

	(void)unused;
	self_init(&config);
	assert_true(self_is_name("MAIL.example.org"));
	assert_false(self_is_name("mail.example.or"));
	assert_string_equal(self_hostname(), "mail.example.org");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
