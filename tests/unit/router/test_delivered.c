/* Anybody can write Delivered-To: the report about the loop would go to whoever
 * they say has sent it. */
#include "tests/unit/router/test.h"

#include "common/content.h"
#include "router/delivered.h"
#include "router/routes.h"

#define TO_BOB "Delivered-To: bob@here.example\r\n"
#define TO_CAROL "Delivered-To: carol@here.example\r\n"

static void
add(struct routes *routes, enum route_kind kind, const char *address)
{
	const struct route route = {
		.kind = kind,
		.name = kind == ROUTE_MAILBOX ? "people" : "",
		.user = kind == ROUTE_MAILBOX ? "somebody" : "",
		.address = address,
		.original = "given@here.example",
		.via = "",
	};

	assert_int_equal(routes_add(routes, &route), 0);
}

static bool
is_loop(const struct routes *routes, const char *content, size_t length)
{
	int fd = content_create();
	bool result;

	assert_int_equal(content_write(fd, content, length), 0);
	assert_int_equal(content_seal(fd), 0);
	result = delivered_to_all(fd, length, routes);
	close(fd);
	return result;
}

static void
reads_the_header_as_the_worker_does(void **state)
{
	static const struct {
		const char *content;
		bool loop;
	} rows[] = {
		{ TO_BOB "\r\n", true },
		{ "X: y\r\ndelivered-to : Bob@HERE.example \r\n\r\n", true },
		{ "X: y\r\nDelivered-To:\r\n\tbob@here.example\r\nZ: z\r\n",
		    true },
		{ TO_CAROL TO_BOB "\r\n", true },
		{ "Delivered-To: bob@here.example", true },
		{ "Delivered-To: bob@here.example\n\n", true },
		{ TO_CAROL "\r\n", false },
		{ "Delivered-To: bob@here.example.org\r\n\r\n", false },
		{ TO_BOB " x\r\n\r\n", false },
		{ "X-" TO_BOB "\r\n", false },
		{ "Delivered-To\r\n : bob@here.example\r\n\r\n", false },
		{ "X: y\r\n " TO_BOB "\r\n", false },
		{ "X: y\r\n\r\n" TO_BOB, false },
		{ "\r\n" TO_BOB, false },
		{ "Delivered-To:\r\n\r\n", false },
		{ "Delivered-To", false },
		{ "", false },
	};
	struct routes routes;

	(void)state;
	routes_init(&routes);
	add(&routes, ROUTE_MAILBOX, "bob@here.example");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_loop(&routes, rows[i].content,
			strlen(rows[i].content)) != rows[i].loop)
			fail_msg("%s", rows[i].content);
	routes_clear(&routes);
}

/* A copy for a mailbox that has none goes there, and so what goes on. */
static void
all_of_them_must_have_it(void **state)
{
	static const char both[] = TO_BOB TO_CAROL "\r\n";
	struct routes routes;

	(void)state;
	routes_init(&routes);
	assert_false(is_loop(&routes, both, sizeof(both) - 1));
	add(&routes, ROUTE_MAILBOX, "bob@here.example");
	add(&routes, ROUTE_MAILBOX, "carol@here.example");
	assert_true(is_loop(&routes, both, sizeof(both) - 1));
	assert_false(is_loop(&routes, TO_BOB, sizeof(TO_BOB) - 1));
	assert_false(is_loop(&routes, TO_CAROL, sizeof(TO_CAROL) - 1));
	/* Nothing is delivered to the alias itself. */
	assert_int_equal(routes_set_dsn(&routes, DSN_NOTIFY_SUCCESS, ""), 0);
	assert_int_equal(routes.count, 3);
	assert_true(is_loop(&routes, both, sizeof(both) - 1));
	add(&routes, ROUTE_MX, "bob@here.example");
	assert_false(is_loop(&routes, both, sizeof(both) - 1));
	routes_clear(&routes);
}

/* What is beyond is for the worker to see. */
static void
looks_at_so_much(void **state)
{
	static const char other[] = "Delivered-To: x@far.example\r\n";
	static char content[2 * DELIVERED_OCTETS];
	static const struct {
		size_t others;
		bool loop;
	} rows[] = { { DELIVERED_FIELDS - 1, true },
		{ DELIVERED_FIELDS, false },
		{ DELIVERED_OCTETS / sizeof(other), false } };
	struct routes routes;

	(void)state;
	routes_init(&routes);
	add(&routes, ROUTE_MAILBOX, "bob@here.example");
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t length = 0;

		for (size_t n = 0; n < rows[i].others; n++) {
			memcpy(content + length, other, sizeof(other) - 1);
			length += sizeof(other) - 1;
		}
		memcpy(content + length, TO_BOB "\r\n", sizeof(TO_BOB "\r\n"));
		length += sizeof(TO_BOB "\r\n") - 1;
		assert_int_equal(
		    is_loop(&routes, content, length), rows[i].loop);
	}
	/* One field, longer than any address, and than what is read. */
	memset(content, 'x', sizeof(content));
	memcpy(content, "Delivered-To: ", 14);
	assert_false(is_loop(&routes, content, sizeof(content)));
	routes_clear(&routes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_header_as_the_worker_does),
		cmocka_unit_test(all_of_them_must_have_it),
		cmocka_unit_test(looks_at_so_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
