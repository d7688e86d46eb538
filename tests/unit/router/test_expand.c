#include "tests/unit/router/test.h"

#include "router/expand.h"

#include "common/content.h"
#include "common/message.h"
#include "queue/submission.h"

#include "tests/unit/router/fake_users.h"

#define PEOPLE                                                         \
	"mailbox \"people\" users system aliases \"aliases\" deliver " \
	"maildir \"~/M\"\n"                                            \
	"mailbox \"plain\" users system deliver maildir \"~/M\"\n"     \
	"mailbox \"listed\" users table \"names\" deliver maildir "    \
	"\"~/M\"\n"                                                    \
	"table \"names\" { \"bob\" }\n"                                \
	"relay \"smart\" via \"smart.example\" port 2525\n"
#define RULES                                                             \
	"accept to domain \"here.example\" mailbox \"people\"\n"          \
	"accept to domain \"also.example\" mailbox \"people\"\n"          \
	"accept to domain \"plain.example\" mailbox \"plain\"\n"          \
	"accept to domain \"listed.example\" mailbox \"listed\"\n"        \
	"accept from authenticated to domain \"private.example\" "        \
	"mailbox \"people\"\n"                                            \
	"reject to domain \"closed.example\" with \"550 5.7.1 shut\"\n"   \
	"reject to domain \"later.example\" with \"450 4.7.1 later\"\n"   \
	"accept from local to domain \"smart.example\" relay \"smart\"\n" \
	"accept from local relay\n"

/* One octet more than a login name can have. */
#define LONG                               \
	"a2345678901234567890123456789012" \
	"a2345678901234567890123456789012x"
_Static_assert(sizeof(LONG) == LIMIT_USER + 2, "one more");

/* The routes as one text: "people:bob=bob@here.example smart:=x@y" where "mx"
 * stands for no name. */
static void
show_routes(const struct routes *routes, char *to, size_t size)
{
	const struct route *route;
	size_t used = 0;

	*to = '\0';
	STAILQ_FOREACH (route, &routes->list, next)
		used += (size_t)snprintf(to + used, size - used, "%s%s:%s=%s",
		    used == 0 ? "" : " ",
		    route->kind == ROUTE_MX ? "mx" : route->name, route->user,
		    route->address);
	assert_true(used < size);
}

static const struct row {
	const char *aliases, *to;
	unsigned int code;
	const char *reply, *routes;
} rows[] = {
	/* -- Without aliases -- */
	{ "", "bob@here.example", 250, "2.1.5", "people:bob=bob@here.example" },
	{ "", "BOB@Here.Example", 250, "2.1.5", "people:bob=BOB@here.example" },
	{ "", "bob+list@here.example", 250, "2.1.5",
	    "people:bob=bob+list@here.example" },
	{ "", "bob+a+b@here.example", 250, "2.1.5",
	    "people:bob=bob+a+b@here.example" },
	{ "", "bob+@here.example", 250, "2.1.5",
	    "people:bob=bob+@here.example" },
	{ "", "+bob@here.example", 550, "5.1.1", "" },
	{ "", "eve@here.example", 550, "5.1.1", "" },
	{ "", "bob%far.example@here.example", 550, "5.1.1", "" },
	{ "", "\"bob@far.example\"@here.example", 550, "5.1.1", "" },
	{ "", "busy@here.example", 451, "4.3.0", "" },
	{ "", "bob@far.example", 550, "5.7.1", "" },
	{ "", "bob@private.example", 550, "5.7.1", "" },
	{ "", "x@closed.example", 550, "5.7.1 shut", "" },
	{ "", "x@later.example", 450, "4.7.1 later", "" },
	{ "", "bob@plain.example", 250, "2.1.5",
	    "plain:bob=bob@plain.example" },
	{ "", "bob+own@listed.example", 250, "2.1.5",
	    "listed:bob+own=bob+own@listed.example" },
	{ "", "bob+other@listed.example", 250, "2.1.5",
	    "listed:bob=bob+other@listed.example" },
	{ "", "bob+own@here.example", 250, "2.1.5",
	    "people:bob=bob+own@here.example" },
	/* -- Aliases -- */
	{ "info: bob\n", "info@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	{ "info: bob\n", "INFO@also.example", 250, "2.1.5",
	    "people:bob=bob@also.example" },
	{ "info: bob\n", "info@plain.example", 550, "5.1.1", "" },
	{ "info: bob\n", "info+x@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	{ "info: bob\ninfo+x: carol\n", "info+x@here.example", 250, "2.1.5",
	    "people:carol=carol@here.example" },
	{ "all: bob, alice,\n  carol\n", "all@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example people:alice=alice@here.example "
	    "people:carol=carol@here.example" },
	{ "all: team, carol\nteam: bob, alice\n", "all@here.example", 250,
	    "2.1.5",
	    "people:bob=bob@here.example people:alice=alice@here.example "
	    "people:carol=carol@here.example" },
	{ "bob: alice\n", "bob@here.example", 250, "2.1.5",
	    "people:alice=alice@here.example" },
	{ "all: bob, bob, bob@also.example, Bob\n", "all@here.example", 250,
	    "2.1.5", "people:bob=bob@here.example" },
	/* Met twice, but no loop. */
	{ "all: a, b\na: c\nb: c\nc: bob\n", "all@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	/* -- To other places, whatever the client may do -- */
	{ "fwd: x@far.example\n", "fwd@here.example", 250, "2.1.5",
	    "mx:=x@far.example" },
	{ "fwd: x@smart.example, bob\n", "fwd@here.example", 250, "2.1.5",
	    "smart:=x@smart.example people:bob=bob@here.example" },
	{ "fwd: bob@plain.example\n", "fwd@here.example", 250, "2.1.5",
	    "plain:bob=bob@plain.example" },
	{ "fwd: bob@private.example\n", "fwd@here.example", 250, "2.1.5",
	    "people:bob=bob@private.example" },
	{ "fwd: x@closed.example\n", "fwd@here.example", 550, "5.7.1 shut",
	    "" },
	{ "fwd: x@closed.example, bob\n", "fwd@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	{ "fwd: bob, x@later.example\n", "fwd@here.example", 450, "4.7.1 later",
	    "" },
	/* -- An alias that names itself means the user -- */
	{ "bob: bob, alice\n", "bob@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example people:alice=alice@here.example" },
	{ "bob: \\bob, x@far.example\n", "bob@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example mx:=x@far.example" },
	{ "bob: Bob@Also.Example\n", "bob@here.example", 250, "2.1.5",
	    "people:bob=Bob@also.example" },
	{ "bob: bob, alice\n", "bob+x@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example people:alice=alice@here.example" },
	{ "eve: eve\n", "eve@here.example", 550, "5.1.1", "" },
	{ "bob: \\alice\nalice: carol\n", "bob@here.example", 250, "2.1.5",
	    "people:alice=alice@here.example" },
	/* -- Loops -- */
	{ "a: b\nb: a\n", "a@here.example", 451, "4.3.5", "" },
	{ "a: b\nb: c\nc: a\n", "b@here.example", 451, "4.3.5", "" },
	{ "a: bob, b\nb: a, alice\n", "a@here.example", 451, "4.3.5", "" },
	{ "a: b@also.example\nb: a@here.example\n", "a@here.example", 451,
	    "4.3.5", "" },
	{ "bob: alice\nalice: bob\n", "bob@here.example", 451, "4.3.5", "" },
	/* -- What is not supported, or wrong, waits -- */
	{ "x: |/bin/cat\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, \"|/bin/cat -x\"\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: /var/mail/x\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: :include:/etc/x\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob alice\n", "x@here.example", 451, "4.3.5", "" },
	{ "x:\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: ,\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, busy\n", "x@here.example", 451, "4.3.0", "" },
	/* -- Targets that do not exist -- */
	{ "x: eve\n", "x@here.example", 550, "5.1.1", "" },
	{ "x: eve, mallory\n", "x@here.example", 550, "5.1.1", "" },
	{ "x: eve, bob\n", "x@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example people:eve=eve@here.example" },
	{ "x: y, bob\ny: eve+z\n", "x@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example people:eve=eve+z@here.example" },
	/* A login may be of that name, which the table does not list. */
	{ "x: bob, eve@listed.example\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: eve@listed.example\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob@listed.example, bob\n", "x@here.example", 250, "2.1.5",
	    "listed:bob=bob@listed.example people:bob=bob@here.example" },
	/* -- Targets that cannot exist: the alias is wrong -- */
	{ "", "foo/bar@here.example", 550, "5.1.1", "" },
	{ "", "\"foo bar\"@here.example", 550, "5.1.1", "" },
	{ "", "-foo@here.example", 550, "5.1.1", "" },
	{ "", LONG "@here.example", 550, "5.1.1", "" },
	{ "x: bob, foo/bar\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: foo/bar\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: foo/bar, bob\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, \\foo/bar\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, foo/bar+z\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, foo+/z\n", "x@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example people:foo=foo+/z@here.example" },
	{ "x: bob, \"foo bar\"\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, \"foo:bar\"\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, -foo\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, \".foo\"\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, " LONG "\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: y, bob\ny: foo/bar\n", "x@here.example", 451, "4.3.5", "" },
	{ "x: bob, foo/bar@plain.example\n", "x@here.example", 451, "4.3.5",
	    "" },
	{ "x: bob, foo/bar@listed.example\n", "x@here.example", 451, "4.3.5",
	    "" },
	{ "x: bob, foo/bar@far.example\n", "x@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example mx:=foo/bar@far.example" },
	/* -- postmaster -- */
	{ "postmaster: bob\n", "postmaster@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	{ "postmaster: bob\n", "PostMaster@also.example", 250, "2.1.5",
	    "people:bob=bob@also.example" },
	{ "postmaster: bob\n", "postmaster", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	{ "postmaster: root\nroot: bob\n", "postmaster@here.example", 250,
	    "2.1.5", "people:bob=bob@here.example" },
	{ "root: bob, alice\n", "postmaster@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example people:alice=alice@here.example" },
	{ "root: bob\n", "postmaster", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	{ "root: bob\n", "postmaster+x@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	{ "postmaster: eve\nroot: bob\n", "postmaster@here.example", 250,
	    "2.1.5",
	    "people:bob=bob@here.example people:eve=eve@here.example" },
	{ "postmaster: foo/bar\nroot: bob\n", "postmaster@here.example", 451,
	    "4.3.5", "" },
	{ "", "postmaster@here.example", 451, "4.3.5", "" },
	{ "", "postmaster", 451, "4.3.5", "" },
	{ "root: postmaster\n", "postmaster@here.example", 451, "4.3.5", "" },
	{ "postmaster: postmaster\n", "postmaster@here.example", 451, "4.3.5",
	    "" },
	{ "root: bob\n", "postmaster@far.example", 550, "5.7.1", "" },
	{ "root: bob\n", "root@here.example", 250, "2.1.5",
	    "people:bob=bob@here.example" },
	{ "", "root@here.example", 550, "5.1.1", "" },
};

struct house {
	struct config *config;
	struct tables *tables;
	struct expander expander;
	char path[64];
};

static void
open_house(struct house *h, const char *head, const char *aliases)
{
	char text[4096];

	snprintf(h->path, sizeof(h->path), "%s", test_file(aliases));
	snprintf(text, sizeof(text), "table \"aliases\" file \"%s\"\n%s%s",
	    h->path, head, PEOPLE RULES);
	h->config = test_config(text);
	h->tables = tables_new(h->config);
	assert_non_null(h->tables);
	h->expander = (struct expander){ h->config, h->tables, NULL };
}

static void
close_house(struct house *h)
{
	unlink(h->path);
	tables_free(&h->tables);
	config_free(&h->config);
}

static const struct rule_facts *
stranger(void)
{
	static struct address sender;
	static const struct rule_facts facts = { .sender = &sender };

	assert_int_equal(
	    address_parse("s@far.example", ADDRESS_REVERSE_PATH, &sender), 0);
	return &facts;
}

/* The queue holds what it refuses here for a breach, and closes the link. */
static void
expect_the_queue_to_take(const struct routes *routes)
{
	const struct message_envelope envelope = {
		.id = 1,
		.sender = "s@far.example",
		.client_address = "",
		.helo = "",
		.user = "",
		.envid = "",
		.client_name = "",
		.tls_version = "",
		.tls_cipher = "",
		.config = "",
		.recipients = routes->count,
	};
	int content = content_create();
	struct submission *s;
	const struct route *route;
	uint32_t number = 0;

	assert_int_equal(content_seal(content), 0);
	s = submission_new(&envelope, content, 0);
	assert_non_null(s);
	STAILQ_FOREACH (route, &routes->list, next) {
		const struct message_route m = {
			.number = number,
			.address = route->address,
			.original = route->original,
			.kind = (uint8_t)route->kind,
			.name = route->name,
			.user = route->user,
			.notify = route->notify,
			.orcpt = "",
			.rule = route->rule,
			.via = route->via,
		};

		if (submission_add(s, &m) == -1)
			fail_msg("the queue refuses %s", route->address);
		number++;
	}
	submission_free(&s);
}

static void
expect(const struct house *h, const char *given, unsigned int code,
    const char *reply, const char *routes)
{
	struct expansion out;
	struct address to;
	const struct route *route;
	char shown[4096];

	assert_int_equal(address_parse(given, ADDRESS_FORWARD_PATH, &to), 0);
	expand_recipient(&h->expander, 1, stranger(), &to, &out);
	show_routes(&out.routes, shown, sizeof(shown));
	if (out.reply.code != code || strcmp(shown, routes) != 0 ||
	    strncmp(out.reply.text, reply, strlen(reply)) != 0)
		fail_msg("%s: %u %s, %s", given, out.reply.code, out.reply.text,
		    shown);
	STAILQ_FOREACH (route, &out.routes.list, next)
		assert_string_equal(route->original, to.text);
	if (out.routes.count > 0)
		expect_the_queue_to_take(&out.routes);
	routes_clear(&out.routes);
}

static void
expands(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct house h = { .path = "" };

		open_house(&h, "", rows[i].aliases);
		expect(&h, rows[i].to, rows[i].code, rows[i].reply,
		    rows[i].routes);
		close_house(&h);
	}
}

/* alias, user, admin, root: in this order. */
static void
finds_the_postmaster(void **state)
{
	static const struct {
		const char *admin, *aliases;
		bool user;
		const char *routes; /* NULL: 451 */
	} cases[] = {
		{ "bob@here.example", "postmaster: alice\n", true,
		    "people:alice=alice@here.example" },
		{ "bob@here.example", "root: alice\n", true,
		    "people:postmaster=postmaster@here.example" },
		{ "bob@here.example", "root: alice\n", false,
		    "people:bob=bob@here.example" },
		{ "x@far.example", "root: alice\n", false,
		    "mx:=x@far.example" },
		{ "eve@here.example", "root: alice\n", false,
		    "people:alice=alice@here.example" },
		{ "foo/bar@here.example", "root: alice\n", false,
		    "people:alice=alice@here.example" },
		{ "postmaster@here.example", "root: alice\n", false,
		    "people:alice=alice@here.example" },
		{ "postmaster@here.example", "", false, NULL },
		{ "eve@here.example", "", false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct house h = { .path = "" };
		char admin[128];

		snprintf(
		    admin, sizeof(admin), "admin \"%s\"\n", cases[i].admin);
		open_house(&h, admin, cases[i].aliases);
		fake_postmaster = cases[i].user;
		if (cases[i].routes == NULL)
			expect(&h, "postmaster@here.example", 451, "4.3.5", "");
		else
			expect(&h, "postmaster@here.example", 250, "2.1.5",
			    cases[i].routes);
		fake_postmaster = false;
		close_house(&h);
	}
}

/* A host that has no mailbox at all. */
static void
finds_the_postmaster_of_a_relay(void **state)
{
	struct config *config;
	struct tables *tables;
	struct house h = { .path = "" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		config = test_config(
		    i == 0
			? "admin \"x@far.example\"\naccept from local relay\n"
			: "accept from local relay\n");
		tables = tables_new(config);
		h.expander = (struct expander){ config, tables, NULL };
		if (i == 0)
			expect(&h, "postmaster", 250, "2.1.5",
			    "mx:=x@far.example");
		else
			expect(&h, "postmaster", 451, "4.3.5", "");
		tables_free(&tables);
		config_free(&config);
	}
}

/* Whose domains are in a file, so that the host's name stands for them: mail
 * to it must not be relayed, whoever may relay. */
static void
finds_the_postmaster_of_unknown_domains(void **state)
{
	struct address sender = { .text = "" }, to;
	const struct rule_facts local = { .local = true, .sender = &sender };
	struct expansion out;
	struct config *config;
	struct tables *tables;
	struct expander e;
	char text[512];
	const char *path = test_file("here.example\n");

	(void)state;
	snprintf(text, sizeof(text),
	    "table \"domains\" file \"%s\"\n"
	    "admin \"x@far.example\"\n"
	    "mailbox \"people\" users system deliver maildir \"~/M\"\n"
	    "accept to domain table \"domains\" mailbox \"people\"\n"
	    "accept from local relay\n",
	    path);
	config = test_config(text);
	tables = tables_new(config);
	e = (struct expander){ config, tables, NULL };
	fake_postmaster = true;
	assert_int_equal(
	    address_parse("postmaster", ADDRESS_FORWARD_PATH, &to), 0);
	expand_recipient(&e, 1, &local, &to, &out);
	assert_int_equal(out.reply.code, 250);
	assert_int_equal(STAILQ_FIRST(&out.routes.list)->kind, ROUTE_MAILBOX);
	routes_clear(&out.routes);
	fake_postmaster = false;
	unlink(path);
	tables_free(&tables);
	config_free(&config);
}

static void
says_which_rule(void **state)
{
	static const struct {
		const char *to;
		unsigned int line;
	} cases[] = {
		{ "bob@here.example", 9 },
		{ "eve@also.example", 10 },
		{ "x@closed.example", 14 },
		{ "x@far.example", 0 },
	};
	struct house h = { .path = "" };

	(void)state;
	open_house(&h, "", "bob: x@smart.example\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct expansion out;
		struct address to;

		assert_int_equal(address_parse(cases[i].to, 0, &to), 0);
		expand_recipient(&h.expander, 1, stranger(), &to, &out);
		assert_int_equal(out.rule, cases[i].line);
		routes_clear(&out.routes);
	}
	close_house(&h);
}

/* a0: a1, a1: a2, ... of a given depth, ending at bob. */
static void
has_a_bound_in_depth(void **state)
{
	(void)state;
	for (int depth = LIMIT_ALIAS_DEPTH; depth <= LIMIT_ALIAS_DEPTH + 1;
	     depth++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		struct house h = { .path = "" };

		assert_non_null(out);
		for (int i = 0; i < depth - 1; i++)
			fprintf(out, "a%d: a%d\n", i, i + 1);
		fprintf(out, "a%d: bob\n", depth - 1);
		fclose(out);
		open_house(&h, "", text);
		if (depth == LIMIT_ALIAS_DEPTH)
			expect(&h, "a0@here.example", 250, "2.1.5",
			    "people:bob=bob@here.example");
		else
			expect(&h, "a0@here.example", 451, "4.3.5", "");
		close_house(&h);
		free(text);
	}
}

static void
has_a_bound_in_width(void **state)
{
	(void)state;
	for (unsigned int width = LIMIT_EXPANSION; width <= LIMIT_EXPANSION + 1;
	     width++) {
		char *text = NULL;
		size_t size = 0;
		FILE *file = open_memstream(&text, &size);
		struct expansion out;
		struct address to;
		struct house h = { .path = "" };

		assert_non_null(file);
		fprintf(file, "all: u0@far.example");
		for (unsigned int i = 1; i < width; i++)
			fprintf(file, ",\n u%u@far.example", i);
		fprintf(file, "\n");
		fclose(file);
		open_house(&h, "", text);
		assert_int_equal(address_parse("all@here.example", 0, &to), 0);
		expand_recipient(&h.expander, 1, stranger(), &to, &out);
		if (width == LIMIT_EXPANSION) {
			assert_int_equal(out.reply.code, 250);
			assert_int_equal(out.routes.count, width);
		} else {
			assert_int_equal(out.reply.code, 451);
			assert_int_equal(out.routes.count, 0);
		}
		routes_clear(&out.routes);
		close_house(&h);
		free(text);
	}
}

/* Each names the next twice: 2^30 ways, but each is walked once. */
static void
does_no_work_twice(void **state)
{
	char text[2048];
	size_t used = 0;
	struct house h = { .path = "" };

	(void)state;
	for (int i = 0; i < 30; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "a%d: a%d, a%d@also.example\n", i, i + 1, i + 1);
	snprintf(text + used, sizeof(text) - used, "a30: bob\n");
	open_house(&h, "", text);
	expect(
	    &h, "a0@here.example", 250, "2.1.5", "people:bob=bob@here.example");
	close_house(&h);
}

static void
defers_without_its_table(void **state)
{
	struct config *config = test_config(
	    "table \"aliases\" file \"/nonexistent/aliases\"\n" PEOPLE RULES);
	struct house h = { .config = config, .tables = tables_new(config) };

	(void)state;
	h.expander = (struct expander){ config, h.tables, NULL };
	expect(&h, "bob@here.example", 451, "4.3.0", "");
	expect(&h, "bob@plain.example", 250, "2.1.5",
	    "plain:bob=bob@plain.example");
	tables_free(&h.tables);
	config_free(&h.config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands),
		cmocka_unit_test(finds_the_postmaster),
		cmocka_unit_test(finds_the_postmaster_of_a_relay),
		cmocka_unit_test(finds_the_postmaster_of_unknown_domains),
		cmocka_unit_test(says_which_rule),
		cmocka_unit_test(has_a_bound_in_depth),
		cmocka_unit_test(has_a_bound_in_width),
		cmocka_unit_test(does_no_work_twice),
		cmocka_unit_test(defers_without_its_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
