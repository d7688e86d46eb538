#include "tests/unit/router/test.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "router/rules.h"

#define MAILBOX "mailbox \"m\" users system deliver maildir \"~/Maildir\"\n"

struct client {
	const char *address; /* NULL: a program of this host */
	bool local, authenticated;
};

static const struct client stranger = { "198.51.100.9", false, false };
static const struct client stranger6 = { "2001:db8::9", false, false };
static const struct client user = { "198.51.100.9", false, true };
static const struct client host = { "127.0.0.1", true, false };
static const struct client host6 = { "::1", true, false };
static const struct client program = { NULL, true, false };

/* The rules begin at line 4: two of the head, one mailbox. */
static const struct row {
	const char *rules;
	const struct client *client;
	const char *sender, *to;
	unsigned int line; /* 0: none */
} rows[] = {
	/* Nothing is accepted by default. */
	{ "accept from local relay\n", &stranger, "a@b.example", "x@y.example",
	    0 },
	{ "accept to domain \"here.example\" mailbox \"m\"\n", &stranger, "",
	    "x@y.example", 0 },
	/* to domain: whatever its case; no subdomain, no suffix. */
	{ "accept to domain \"here.example\" mailbox \"m\"\n", &stranger, "",
	    "x@HERE.example", 4 },
	{ "accept to domain \"Here.Example\" mailbox \"m\"\n", &stranger, "",
	    "x@here.example", 4 },
	{ "accept to domain \"here.example\" mailbox \"m\"\n", &stranger, "",
	    "x@a.here.example", 0 },
	{ "accept to domain \"here.example\" mailbox \"m\"\n", &stranger, "",
	    "x@there.example", 0 },
	{ "accept to domain \"here.example\" mailbox \"m\"\n", &stranger, "",
	    "x@here.example.org", 0 },
	/* The first that matches decides. */
	{ "reject from address 198.51.100.0/24\n"
	  "accept to domain \"here.example\" mailbox \"m\"\n",
	    &stranger, "", "x@here.example", 4 },
	{ "accept to domain \"here.example\" mailbox \"m\"\n"
	  "reject from address 198.51.100.0/24\n",
	    &stranger, "", "x@here.example", 4 },
	{ "reject from address 192.0.2.0/24\n"
	  "accept to domain \"here.example\" mailbox \"m\"\n",
	    &stranger, "", "x@here.example", 5 },
	/* from local */
	{ "accept from local relay\n", &host, "", "x@y.example", 4 },
	{ "accept from local relay\n", &host6, "", "x@y.example", 4 },
	{ "accept from local relay\n", &program, "", "x@y.example", 4 },
	{ "accept from local relay\n", &stranger, "", "x@y.example", 0 },
	{ "accept from local relay\n", &user, "", "x@y.example", 0 },
	/* from authenticated */
	{ "accept from authenticated relay\n", &user, "", "x@y.example", 4 },
	{ "accept from authenticated relay\n", &host, "", "x@y.example", 0 },
	{ "accept from authenticated relay\n", &stranger, "", "x@y.example",
	    0 },
	/* from address: IPv4, IPv6, several, odd prefixes, one address */
	{ "accept from address 198.51.100.0/24 relay\n", &stranger, "",
	    "x@y.example", 4 },
	{ "accept from address 198.51.100.0/24 relay\n", &stranger6, "",
	    "x@y.example", 0 },
	{ "accept from address 198.51.100.8/31 relay\n", &stranger, "",
	    "x@y.example", 4 },
	{ "accept from address 198.51.100.10/31 relay\n", &stranger, "",
	    "x@y.example", 0 },
	{ "accept from address 198.51.100.9 relay\n", &stranger, "",
	    "x@y.example", 4 },
	{ "accept from address 198.51.100.10 relay\n", &stranger, "",
	    "x@y.example", 0 },
	{ "accept from address 2001:db8::/32 relay\n", &stranger6, "",
	    "x@y.example", 4 },
	{ "accept from address 2001:db9::/32 relay\n", &stranger6, "",
	    "x@y.example", 0 },
	{ "accept from address 2001:db8::8/125 relay\n", &stranger6, "",
	    "x@y.example", 4 },
	{ "accept from address 192.0.2.0/24 2001:db8::/64 relay\n", &stranger6,
	    "", "x@y.example", 4 },
	{ "accept from address 192.0.2.0/24 2001:db8::/64 relay\n", &stranger,
	    "", "x@y.example", 0 },
	{ "accept from address 127.0.0.0/8 relay\n", &program, "",
	    "x@y.example", 0 },
	/* sender and sender domain */
	{ "reject sender domain \"bad.example\"\n"
	  "accept from local relay\n",
	    &host, "a@bad.example", "x@y.example", 4 },
	{ "reject sender domain \"bad.example\"\n"
	  "accept from local relay\n",
	    &host, "", "x@y.example", 5 },
	{ "reject sender domain \"bad.example\"\n"
	  "accept from local relay\n",
	    &host, "bad.example@good.example", "x@y.example", 5 },
	{ "reject sender \"bob@bad.example\"\n"
	  "accept from local relay\n",
	    &host, "BOB@bad.example", "x@y.example", 4 },
	{ "reject sender \"bob@bad.example\"\n"
	  "accept from local relay\n",
	    &host, "bobby@bad.example", "x@y.example", 5 },
	{ "reject sender domain table \"t\"\n"
	  "accept from local relay\n",
	    &host, "a@two.example", "x@y.example", 4 },
	{ "reject sender domain table \"t\"\n"
	  "accept from local relay\n",
	    &host, "a@three.example", "x@y.example", 5 },
	{ "reject sender domain table \"t\"\n"
	  "accept from local relay\n",
	    &host, "", "x@y.example", 5 },
	/* to, and to domain table */
	{ "reject to \"list@here.example\"\n"
	  "accept to domain \"here.example\" mailbox \"m\"\n",
	    &stranger, "", "List@here.example", 4 },
	{ "reject to \"list@here.example\"\n"
	  "accept to domain \"here.example\" mailbox \"m\"\n",
	    &stranger, "", "x@here.example", 5 },
	{ "accept to domain table \"t\" mailbox \"m\"\n", &stranger, "",
	    "x@one.example", 4 },
	{ "accept to domain table \"t\" mailbox \"m\"\n", &stranger, "",
	    "x@three.example", 0 },
	/* All conditions of one rule must hold. */
	{ "accept from authenticated sender domain \"one.example\" relay\n",
	    &user, "a@one.example", "x@y.example", 4 },
	{ "accept from authenticated sender domain \"one.example\" relay\n",
	    &user, "a@two.example", "x@y.example", 0 },
	{ "accept from authenticated sender domain \"one.example\" relay\n",
	    &stranger, "a@one.example", "x@y.example", 0 },
	{ "accept from address 198.51.100.0/24 sender domain \"one.example\" "
	  "to domain \"far.example\" relay\n",
	    &stranger, "a@one.example", "x@far.example", 4 },
	{ "accept from address 198.51.100.0/24 sender domain \"one.example\" "
	  "to domain \"far.example\" relay\n",
	    &stranger, "a@one.example", "x@near.example", 0 },
	/* A table that cannot be read never decides, either way. */
	{ "reject sender domain table \"gone\"\n"
	  "accept from local relay\n",
	    &host, "a@b.example", "x@y.example", UINT32_MAX },
	{ "accept to domain table \"gone\" mailbox \"m\"\n", &stranger, "",
	    "x@y.example", UINT32_MAX },
	{ "accept from local to domain table \"gone\" mailbox \"m\"\n",
	    &stranger, "", "x@y.example", 0 },
};

static struct config *
row_config(const struct row *row)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s%s%s", MAILBOX, row->rules,
	    "table \"t\" { \"one.example\" \"two.example\" }\n",
	    strstr(row->rules, "gone") == NULL
		? ""
		: "table \"gone\" file \"/nonexistent/table\"\n");
	return test_config(text);
}

static const struct sockaddr *
client_address(const char *text, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (text == NULL)
		return NULL;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		to->ss_family = AF_INET;
	else {
		assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
		to->ss_family = AF_INET6;
	}
	return (const struct sockaddr *)to;
}

static void
check(const struct row *row)
{
	struct config *config = row_config(row);
	struct tables *tables = tables_new(config);
	struct sockaddr_storage storage;
	struct address sender, to;
	struct rule_facts facts = {
		.local = row->client->local,
		.authenticated = row->client->authenticated,
		.client = client_address(row->client->address, &storage),
		.sender = &sender,
	};
	const struct rule_config *rule = NULL;
	enum rules_result result;

	assert_non_null(tables);
	assert_int_equal(
	    address_parse(row->sender, ADDRESS_REVERSE_PATH, &sender), 0);
	assert_int_equal(address_parse(row->to, 0, &to), 0);
	result = rules_match(config, tables, &facts, &to, &rule);
	if (row->line == UINT32_MAX) {
		if (result != RULES_ERROR)
			fail_msg("%s: not an error", row->rules);
	} else if (row->line == 0) {
		if (result != RULES_NONE || rule != NULL)
			fail_msg("%s to %s: matched", row->rules, row->to);
	} else if (result != RULES_MATCHED || rule->line != row->line)
		fail_msg("%s to %s: %d, line %u", row->rules, row->to,
		    (int)result, rule != NULL ? rule->line : 0);
	tables_free(&tables);
	config_free(&config);
}

static void
matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&rows[i]);
}

static void
no_rules_accept_nothing(void **state)
{
	struct config config = { .rule_count = 0 };
	struct address sender, to;
	struct rule_facts facts = {
		.local = true, .authenticated = true, .sender = &sender
	};
	const struct rule_config *rule;
	struct tables *tables = tables_new(&config);

	(void)state;
	assert_int_equal(address_parse("", ADDRESS_REVERSE_PATH, &sender), 0);
	assert_int_equal(address_parse("a@b.example", 0, &to), 0);
	assert_int_equal(
	    rules_match(&config, tables, &facts, &to, &rule), RULES_NONE);
	tables_free(&tables);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(no_rules_accept_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
