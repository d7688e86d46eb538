#include "tests/unit/router/test.h"

#include "router/routes.h"

static const char *given = "given@x.example";

static void
add(struct routes *routes, enum route_kind kind, const char *name,
    const char *user, const char *address)
{
	const struct route route = {
		.kind = kind,
		.name = name,
		.user = user,
		.address = address,
		.original = given,
		.via = "",
	};

	assert_int_equal(routes_add(routes, &route), 0);
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
		assert_string_equal(route->original, "given@x.example");
	}
	/* Both are usable afterwards. */
	add(&from, ROUTE_MX, "", "", "a@x.example");
	routes_move(&to, &from);
	assert_int_equal(to.count, 3);
	routes_clear(&to);
	routes_clear(&from);
}

static uint8_t
notify_of(const struct routes *routes, unsigned int number)
{
	const struct route *route = STAILQ_FIRST(&routes->list);

	while (number-- > 0)
		route = STAILQ_NEXT(route, next);
	return route->notify;
}

/* RFC 3461 5.2.7.3 c: behind an alias of several nobody reports success; that
 * it was expanded is said instead, to whoever asked. */
static void
an_alias_says_that_it_expands(void **state)
{
	static const struct {
		unsigned int given, each;
		bool expanded;
	} rows[] = {
		{ 0, 0, false },
		{ DSN_NOTIFY_NEVER, DSN_NOTIFY_NEVER, false },
		{ DSN_NOTIFY_FAILURE, DSN_NOTIFY_FAILURE, false },
		{ DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY, DSN_NOTIFY_DELAY,
		    true },
		{ DSN_NOTIFY_SUCCESS, DSN_NOTIFY_NEVER, true },
	};
	struct routes routes;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct route *last;

		routes_init(&routes);
		add(&routes, ROUTE_MX, "", "", "a@x.example");
		add(&routes, ROUTE_MX, "", "", "b@x.example");
		assert_int_equal(routes_set_dsn(&routes, (uint8_t)rows[i].given,
				     "rfc822;given"),
		    0);
		assert_int_equal(notify_of(&routes, 0), rows[i].each);
		assert_int_equal(notify_of(&routes, 1), rows[i].each);
		assert_int_equal(routes.count, rows[i].expanded ? 3 : 2);
		last = STAILQ_LAST(&routes.list, route, next);
		if (last == NULL) {
			fail();
			return;
		}
		assert_int_equal(last->expanded, rows[i].expanded);
		assert_string_equal(last->orcpt, "rfc822;given");
		if (rows[i].expanded)
			assert_string_equal(last->address, "given@x.example");
		routes_clear(&routes);
	}
}

/* One address behind an alias is what it stands for (5.2.7.2); the alias of
 * several does not take the place of one of them. */
static void
an_alias_of_one_passes_success_on(void **state)
{
	struct routes routes, other;

	(void)state;
	routes_init(&routes);
	routes_init(&other);
	add(&routes, ROUTE_MX, "", "", "a@x.example");
	assert_int_equal(routes_set_dsn(&routes, DSN_NOTIFY_SUCCESS, ""), 0);
	assert_int_equal(routes.count, 1);
	assert_int_equal(notify_of(&routes, 0), DSN_NOTIFY_SUCCESS);
	add(&other, ROUTE_MX, "", "", "given@x.example");
	add(&other, ROUTE_MX, "", "", "b@x.example");
	assert_int_equal(routes_set_dsn(&other, DSN_NOTIFY_SUCCESS, ""), 0);
	assert_int_equal(other.count, 3);
	routes_move(&routes, &other);
	assert_int_equal(routes.count, 4);
	add(&other, ROUTE_MX, "", "", "given@x.example");
	add(&other, ROUTE_MX, "", "", "b@x.example");
	assert_int_equal(routes_set_dsn(&other, DSN_NOTIFY_SUCCESS, ""), 0);
	routes_move(&routes, &other);
	assert_int_equal(routes.count, 4);
	routes_clear(&routes);
	given = "postmaster";
	for (unsigned int i = 0; i < 2; i++)
		add(&routes, ROUTE_MX, "", "", i == 0 ? "a@b" : "b@b");
	given = "given@x.example";
	assert_int_equal(routes_set_dsn(&routes, DSN_NOTIFY_SUCCESS, ""), 0);
	assert_int_equal(routes.count, 2);
	assert_int_equal(notify_of(&routes, 0), DSN_NOTIFY_SUCCESS);
	routes_clear(&routes);
}

/* Nothing is delivered to an alias: two of them are two, whoever is behind. */
static void
each_alias_has_its_own_report(void **state)
{
	static const char *const lists[] = { "list@x.example", "list@y.example",
		"List@x.example" };
	struct routes routes, other;
	unsigned int expanded = 0;
	const struct route *route;

	(void)state;
	routes_init(&routes);
	for (size_t i = 0; i < COUNT(lists); i++) {
		routes_init(&other);
		given = lists[i];
		add(&other, ROUTE_MAILBOX, "people", "a", "a@x.example");
		add(&other, ROUTE_MAILBOX, "people", "b", "b@x.example");
		assert_int_equal(
		    routes_set_dsn(&other, DSN_NOTIFY_SUCCESS, ""), 0);
		routes_move(&routes, &other);
	}
	given = "given@x.example";
	STAILQ_FOREACH (route, &routes.list, next)
		if (route->expanded && expanded < COUNT(lists))
			assert_string_equal(route->address, lists[expanded++]);
	assert_int_equal(expanded, COUNT(lists));
	assert_int_equal(routes.count, 2 + COUNT(lists));
	routes_clear(&routes);
}

/* Whoever is meant twice is reported on as both wished. */
static void
wishes_are_joined(void **state)
{
	static const struct {
		unsigned int first, second, both;
	} rows[] = {
		{ 0, 0, 0 },
		{ DSN_NOTIFY_NEVER, DSN_NOTIFY_NEVER, DSN_NOTIFY_NEVER },
		{ DSN_NOTIFY_NEVER, 0, DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY },
		{ DSN_NOTIFY_NEVER, DSN_NOTIFY_FAILURE, DSN_NOTIFY_FAILURE },
		{ DSN_NOTIFY_SUCCESS, DSN_NOTIFY_NEVER, DSN_NOTIFY_SUCCESS },
		{ 0, DSN_NOTIFY_SUCCESS,
		    DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE |
			DSN_NOTIFY_DELAY },
	};
	struct routes to, from;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		routes_init(&to);
		routes_init(&from);
		add(&to, ROUTE_MX, "", "", "a@x.example");
		add(&from, ROUTE_MX, "", "", "a@x.example");
		assert_int_equal(
		    routes_set_dsn(&to, (uint8_t)rows[i].first, ""), 0);
		assert_int_equal(
		    routes_set_dsn(&from, (uint8_t)rows[i].second, "x;y"), 0);
		routes_move(&to, &from);
		assert_int_equal(to.count, 1);
		assert_int_equal(notify_of(&to, 0), rows[i].both);
		routes_clear(&to);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_one_of_each),
		cmocka_unit_test(moves_in_order),
		cmocka_unit_test(an_alias_says_that_it_expands),
		cmocka_unit_test(an_alias_of_one_passes_success_on),
		cmocka_unit_test(each_alias_has_its_own_report),
		cmocka_unit_test(wishes_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
