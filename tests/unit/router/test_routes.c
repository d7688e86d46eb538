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
		enum route_kind kind;
		const char *name, *user, *address;
		unsigned int count; /* afterwards */
	} rows[] = {
		{ ROUTE_MAILBOX, "people", "bob", "bob@a.example", 1 },
		{ ROUTE_MAILBOX, "people", "bob", "bob@a.example", 1 },
		/* One Maildir, whatever the domain and the case. */
		{ ROUTE_MAILBOX, "people", "bob", "Bob@b.example", 1 },
		{ ROUTE_MAILBOX, "people", "bob", "bob+x@a.example", 2 },
		{ ROUTE_MAILBOX, "others", "bob", "bob@a.example", 3 },
		{ ROUTE_MAILBOX, "people", "bobby", "bob@a.example", 4 },
		/* Elsewhere a local part is the other host's affair. */
		{ ROUTE_MX, "", "", "bob@a.example", 5 },
		{ ROUTE_MX, "", "", "Bob@a.example", 6 },
		{ ROUTE_MX, "", "", "bob@a.example", 6 },
		{ ROUTE_MX, "", "", "bob@b.example", 7 },
		{ ROUTE_RELAY, "r", "", "bob@a.example", 8 },
		{ ROUTE_RELAY, "s", "", "bob@a.example", 9 },
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
	STAILQ_FOREACH(route, &to.list, next)
	{
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
