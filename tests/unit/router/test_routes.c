#include "tests/unit/router/test.h"

#include "router/routes.h"

static void
add(struct routes *routes, enum route_kind kind, const char *name,
    const char *user, const char *address)
{
	assert_int_equal(
	    routes_add(routes, kind, name, user, address, "given"), 0);
}

static void
keeps_one_of_each(void **state)
{
	static const struct {
		const char *name, *user, *address;
		enum route_kind kind;
		unsigned int count; /* afterwards */
	} rows[] = {
		{ "people", "bob", "bob@a.example", ROUTE_MAILBOX, 1 },
		{ "people", "bob", "bob@a.example", ROUTE_MAILBOX, 1 },
		/* One Maildir, whatever the domain and the case. */
		{ "people", "bob", "Bob@b.example", ROUTE_MAILBOX, 1 },
		{ "people", "bob", "bob+x@a.example", ROUTE_MAILBOX, 2 },
		{ "others", "bob", "bob@a.example", ROUTE_MAILBOX, 3 },
		{ "people", "bobby", "bob@a.example", ROUTE_MAILBOX, 4 },
		/* Elsewhere a local part is the other host's affair. */
		{ "", "", "bob@a.example", ROUTE_MX, 5 },
		{ "", "", "Bob@a.example", ROUTE_MX, 6 },
		{ "", "", "bob@a.example", ROUTE_MX, 6 },
		{ "", "", "bob@b.example", ROUTE_MX, 7 },
		{ "r", "", "bob@a.example", ROUTE_RELAY, 8 },
		{ "s", "", "bob@a.example", ROUTE_RELAY, 9 },
	};
	struct routes routes;

	(void)state;
	routes_init(&routes);
	for (size_t i = 0; i < COUNT(rows); i++) {
		add(&routes, rows[i].kind, rows[i].name, rows[i].user,
		    rows[i].address);
		assert_int_equal(routes.count, rows[i].count);
	}
	routes_clear(&routes);
	assert_int_equal(routes.count, 0);
	assert_true(STAILQ_EMPTY(&routes.list));
}

static void
moves_in_order(void **state)
{
	static const char *const expected[] = { "a@x.example", "b@x.example",
		"c@x.example" };
	struct routes to, from;
	const struct route *route;
	size_t n = 0;

	(void)state;
	routes_init(&to);
	routes_init(&from);
	add(&to, ROUTE_MX, "", "", "a@x.example");
	add(&to, ROUTE_MX, "", "", "b@x.example");
	add(&from, ROUTE_MX, "", "", "b@x.example");
	add(&from, ROUTE_MX, "", "", "c@x.example");
	routes_move(&to, &from);
	assert_int_equal(to.count, 3);
	assert_int_equal(from.count, 0);
	STAILQ_FOREACH (route, &to.list, next) {
		assert_string_equal(route->address, expected[n++]);
		assert_string_equal(route->original, "given");
	}
	/* Both are usable afterwards. */
	add(&from, ROUTE_MX, "", "", "a@x.example");
	routes_move(&to, &from);
	assert_int_equal(to.count, 3);
	routes_clear(&to);
	routes_clear(&from);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_one_of_each),
		cmocka_unit_test(moves_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
