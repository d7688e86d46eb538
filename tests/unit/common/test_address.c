#include "common/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/common/unit.h"

#define REVERSE ADDRESS_REVERSE_PATH
#define FORWARD ADDRESS_FORWARD_PATH

struct row {
	const char *text;
	unsigned int rules;
	const char *canonical; /* NULL: refused */
};

/* Mailboxes as they stand without brackets. */
static const struct row mailboxes[] = {
	/* Dot-strings. */
	{ "alice@example.org", 0, "alice@example.org" },
	{ "Alice@Example.ORG", 0, "Alice@example.org" },
	{ "a.b.c@example.org", 0, "a.b.c@example.org" },
	{ "a@b", 0, "a@b" },
	{ "a@localhost", 0, "a@localhost" },
	{ "user+tag@example.org", 0, "user+tag@example.org" },
	{ "!#$%&'*+-/=?^_`{|}~@example.org", 0,
	    "!#$%&'*+-/=?^_`{|}~@example.org" },
	{ "0@0", 0, "0@0" },
	{ "bounce-1=a=b.c@lists.example.org", 0,
	    "bounce-1=a=b.c@lists.example.org" },
	{ ".a@example.org", 0, NULL },
	{ "a.@example.org", 0, NULL },
	{ "a..b@example.org", 0, NULL },
	{ ".@example.org", 0, NULL },
	{ "@example.org", 0, NULL },
	{ "a b@example.org", 0, NULL },
	{ " a@example.org", 0, NULL },
	{ "a@example.org ", 0, NULL },
	{ "a @example.org", 0, NULL },
	{ "a@ example.org", 0, NULL },
	{ "a,b@example.org", 0, NULL },
	{ "a:b@example.org", 0, NULL },
	{ "a;b@example.org", 0, NULL },
	{ "a(c)@example.org", 0, NULL },
	{ "a[b]@example.org", 0, NULL },
	{ "a\\@b@example.org", 0, NULL },
	{ "a<b@example.org", 0, NULL },
	{ "a>b@example.org", 0, NULL },
	{ "<a@example.org>", 0, NULL },
	{ "a@b@example.org", 0, NULL },
	{ "a@", 0, NULL },
	{ "a", 0, NULL },
	{ "@", 0, NULL },
	{ "", 0, NULL },
	{ "a@example.org\n", 0, NULL },
	{ "a\n@example.org", 0, NULL },
	{ "a\r\n@example.org", 0, NULL },
	{ "\x01@example.org", 0, NULL },
	{ "\x7f@example.org", 0, NULL },
	{ "a@exam\tple.org", 0, NULL },
	/* UTF-8 needs SMTPUTF8, which is not offered. */
	{ "j\xc3\xb6rg@example.org", 0, NULL },
	{ "a@ex\xc3\xa4mple.org", 0, NULL },
	{ "\"j\xc3\xb6rg\"@example.org", 0, NULL },
	{ "a@xn--exmple-cua.org", 0, "a@xn--exmple-cua.org" },
	/* Quoted strings: unquoted if they can be, else the shortest way. */
	{ "\"alice\"@example.org", 0, "alice@example.org" },
	{ "\"a.b\"@example.org", 0, "a.b@example.org" },
	{ "\"\\a\\l\\ice\"@example.org", 0, "alice@example.org" },
	{ "\"a b\"@example.org", 0, "\"a b\"@example.org" },
	{ "\"a\\ b\"@example.org", 0, "\"a b\"@example.org" },
	{ "\"a@b\"@example.org", 0, "\"a@b\"@example.org" },
	{ "\"a\\@b\"@example.org", 0, "\"a@b\"@example.org" },
	{ "\"a\\\"b\"@example.org", 0, "\"a\\\"b\"@example.org" },
	{ "\"a\\\\b\"@example.org", 0, "\"a\\\\b\"@example.org" },
	{ "\"\\\\\"@example.org", 0, "\"\\\\\"@example.org" },
	{ "\".a\"@example.org", 0, "\".a\"@example.org" },
	{ "\"a.\"@example.org", 0, "\"a.\"@example.org" },
	{ "\"a..b\"@example.org", 0, "\"a..b\"@example.org" },
	{ "\" \"@example.org", 0, "\" \"@example.org" },
	{ "\"<a@b>\"@example.org", 0, "\"<a@b>\"@example.org" },
	{ "\"|/bin/sh\"@example.org", 0, "|/bin/sh@example.org" },
	{ "\"a;b\"@example.org", 0, "\"a;b\"@example.org" },
	{ "\"\"@example.org", 0, NULL }, /* names no mailbox */
	{ "\"a@example.org", 0, NULL },
	{ "a\"@example.org", 0, NULL },
	{ "\"a\"b@example.org", 0, NULL },
	{ "\"a\".b@example.org", 0, NULL },
	{ "\"a\"\"b\"@example.org", 0, NULL },
	{ "\"a\\\"@example.org", 0, NULL },
	{ "\"a\\", 0, NULL },
	{ "\"", 0, NULL },
	{ "\"\\", 0, NULL },
	{ "\"a\tb\"@example.org", 0, NULL },
	{ "\"a\\\tb\"@example.org", 0, NULL },
	{ "\"a\nb\"@example.org", 0, NULL },
	{ "\"a\\\nb\"@example.org", 0, NULL },
	{ "\"a\x7f\"@example.org", 0, NULL },
	{ "\"a\"", 0, NULL },
	{ "\"a\"@", 0, NULL },
	/* Domains. */
	{ "a@a-b.c-d", 0, "a@a-b.c-d" },
	{ "a@my_host.example.org", 0, "a@my_host.example.org" },
	{ "a@-b.org", 0, NULL },
	{ "a@b-.org", 0, NULL },
	{ "a@.org", 0, NULL },
	{ "a@org.", 0, NULL },
	{ "a@b..org", 0, NULL },
	{ "a@.", 0, NULL },
	{ "a@b!c", 0, NULL },
	{ "a@b:25", 0, NULL },
	{ "a@b/c", 0, NULL },
	/* Address literals. */
	{ "a@[192.0.2.1]", 0, "a@[192.0.2.1]" },
	{ "a@[IPv6:2001:db8::1]", 0, "a@[ipv6:2001:db8::1]" },
	{ "a@[ipv6:2001:DB8:0:0:0:0:0:1]", 0, "a@[ipv6:2001:db8::1]" },
	{ "a@[IPV6:::]", 0, "a@[ipv6:::]" },
	{ "a@[IPv6:::ffff:192.0.2.1]", 0, "a@[ipv6:::ffff:192.0.2.1]" },
	{ "a@[2001:db8::1]", 0, NULL },
	{ "a@[IPv6:192.0.2.1]", 0, NULL },
	{ "a@[192.0.2]", 0, NULL },
	{ "a@[192.0.2.256]", 0, NULL },
	{ "a@[192.0.2.01]", 0, NULL },
	{ "a@[192.0.2.1", 0, NULL },
	{ "a@192.0.2.1]", 0, NULL },
	{ "a@[192.0.2.1]]", 0, NULL },
	{ "a@[[192.0.2.1]]", 0, NULL },
	{ "a@[ 192.0.2.1]", 0, NULL },
	{ "a@[]", 0, NULL },
	{ "a@[IPv6:]", 0, NULL },
	{ "a@[IPv6:::1%lo]", 0, NULL },
	{ "a@[x400:anything]", 0, NULL },
	{ "a@[192.0.2.1].example.org", 0, NULL },
	{ "a@[IPv6:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", 0,
	    NULL },
	/* The two that have no domain. */
	{ "", REVERSE, "" },
	{ "", FORWARD, NULL },
	{ "postmaster", FORWARD, "postmaster" },
	{ "PostMaster", FORWARD, "postmaster" },
	{ "postmaster", REVERSE, NULL },
	{ "postmaster", 0, NULL },
	{ "postmaster ", FORWARD, NULL },
	{ "postmasters", FORWARD, NULL },
	{ "abuse", FORWARD, NULL },
	{ "Postmaster@Example.org", FORWARD, "Postmaster@example.org" },
	{ "\"postmaster\"", FORWARD, NULL },
};

/* Paths; all of the text is the path, unless `rest` says what follows. */
static const struct {
	struct row row;
	const char *rest;
} paths[] = {
	{ { "<a@b>", 0, "a@b" }, "" },
	{ { "<a@b> SIZE=1", 0, "a@b" }, " SIZE=1" },
	{ { "<a@b>>", 0, "a@b" }, ">" },
	{ { "<\"a>b\"@c>x", 0, "\"a>b\"@c" }, "x" },
	{ { "<\"a\\\"> b\"@c>", 0, "\"a\\\"> b\"@c" }, "" },
	{ { "<a@[192.0.2.1]>", 0, "a@[192.0.2.1]" }, "" },
	{ { "<>", REVERSE, "" }, "" },
	{ { "<> BODY=8BITMIME", REVERSE, "" }, " BODY=8BITMIME" },
	{ { "<>", FORWARD, NULL }, NULL },
	{ { "<>", 0, NULL }, NULL },
	{ { "< >", REVERSE, NULL }, NULL },
	{ { "<postmaster>", FORWARD, "postmaster" }, "" },
	{ { "<POSTMASTER> x", FORWARD, "postmaster" }, " x" },
	{ { "<postmaster>", REVERSE, NULL }, NULL },
	{ { "<postmaster", FORWARD, NULL }, NULL },
	{ { "<postmaster@b>", FORWARD, "postmaster@b" }, "" },
	/* Source routes are checked and ignored. */
	{ { "<@x:a@b>", 0, "a@b" }, "" },
	{ { "<@x.org,@y.org:a@b>", 0, "a@b" }, "" },
	{ { "<@[192.0.2.1],@y:\"a b\"@c>", 0, "\"a b\"@c" }, "" },
	{ { "<@x,@y,@z:a@b> P=1", 0, "a@b" }, " P=1" },
	{ { "<@x:>", REVERSE, NULL }, NULL },
	{ { "<@x:postmaster>", FORWARD, NULL }, NULL },
	{ { "<@x a@b>", 0, NULL }, NULL },
	{ { "<@:a@b>", 0, NULL }, NULL },
	{ { "<@x,:a@b>", 0, NULL }, NULL },
	{ { "<@x,y:a@b>", 0, NULL }, NULL },
	{ { "<@x,@y>", 0, NULL }, NULL },
	{ { "<@-x:a@b>", 0, NULL }, NULL },
	{ { "<@x", 0, NULL }, NULL },
	{ { "<@x,", 0, NULL }, NULL },
	{ { "<@x:", 0, NULL }, NULL },
	{ { "<@", 0, NULL }, NULL },
	{ { "<x:a@b>", 0, NULL }, NULL },
	/* Brackets. */
	{ { "a@b", 0, NULL }, NULL },
	{ { " <a@b>", 0, NULL }, NULL },
	{ { "<a@b", 0, NULL }, NULL },
	{ { "<a@b ", 0, NULL }, NULL },
	{ { "< a@b>", 0, NULL }, NULL },
	{ { "<a@b >", 0, NULL }, NULL },
	{ { "<<a@b>>", 0, NULL }, NULL },
	{ { "<\"a@b>", 0, NULL }, NULL },
	{ { "<a\"@b>", 0, NULL }, NULL },
	{ { "<a@b\r\n>", 0, NULL }, NULL },
	{ { "<", 0, NULL }, NULL },
	{ { "<", REVERSE | FORWARD, NULL }, NULL },
	{ { "", REVERSE | FORWARD, NULL }, NULL },
	{ { ">", REVERSE | FORWARD, NULL }, NULL },
};

/* An exact copy, so that the sanitizer sees a step over its end. */
static char *
exact(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	return copy;
}

static void
check_canonical(const struct address *a)
{
	struct address again, made;

	/* Canonical text is a fixed point, and its parts make it. */
	assert_int_equal(address_parse(a->text, REVERSE | FORWARD, &again), 0);
	assert_string_equal(again.text, a->text);
	assert_string_equal(again.local, a->local);
	assert_string_equal(again.domain, a->domain);
	if (a->text[0] == '\0')
		return;
	assert_int_equal(address_make(a->local, a->domain, &made), 0);
	assert_string_equal(made.text, a->text);
}

static void
mailboxes_become_canonical(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(mailboxes); i++) {
		const struct row *row = &mailboxes[i];
		char *text = exact(row->text);
		struct address a;
		int result = address_parse(text, row->rules, &a);

		if ((result == 0) != (row->canonical != NULL))
			fail_msg("%s", row->text);
		if (result == 0) {
			assert_string_equal(a.text, row->canonical);
			check_canonical(&a);
		}
		free(text);
	}
}

static void
paths_end_at_their_bracket(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(paths); i++) {
		const struct row *row = &paths[i].row;
		char *text = exact(row->text);
		struct address a;
		const char *end = NULL;
		int result = address_parse_path(text, row->rules, &a, &end);

		if ((result == 0) != (row->canonical != NULL))
			fail_msg("%s", row->text);
		if (result == 0) {
			assert_string_equal(a.text, row->canonical);
			assert_string_equal(end, paths[i].rest);
			check_canonical(&a);
		}
		free(text);
	}
}

/* Whatever is a mailbox is a path in brackets, and the other way round. */
static void
paths_and_mailboxes_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(mailboxes); i++) {
		const struct row *row = &mailboxes[i];
		char path[200];
		struct address a;
		const char *end;

		snprintf(path, sizeof(path), "<%s>", row->text);
		if (address_parse_path(path, row->rules, &a, &end) == 0 &&
		    *end == '\0') {
			assert_non_null(row->canonical);
			assert_string_equal(a.text, row->canonical);
		} else
			assert_null(row->canonical);
	}
}

static void
the_parts_are_apart(void **state)
{
	struct address a;

	(void)state;
	assert_int_equal(address_parse("\"a \\\"b\\\"\"@[IPv6:::1]", 0, &a), 0);
	assert_string_equal(a.local, "a \"b\"");
	assert_string_equal(a.domain, "[ipv6:::1]");
	assert_int_equal(address_parse("", REVERSE, &a), 0);
	assert_string_equal(a.local, "");
	assert_string_equal(a.domain, "");
	assert_int_equal(address_parse("POSTMASTER", FORWARD, &a), 0);
	assert_string_equal(a.local, "postmaster");
	assert_string_equal(a.domain, "");
}

/* "c" `local` times, "@", then labels of 63 until the domain is `domain`. */
static char *
long_address(size_t local, char c, size_t domain)
{
	char *text = malloc(local + domain + 4), *at = text;

	assert_non_null(text);
	memset(at, c, local);
	at += local;
	*at++ = '@';
	for (size_t i = 0; i < domain; i++)
		*at++ = i % 64 == 63 ? '.' : 'd';
	*at = '\0';
	return text;
}

static void
lengths_are_bounded(void **state)
{
	static const struct {
		size_t local, domain;
		bool good;
	} rows[] = {
		{ 1, 63, true },
		{ 64, 253, true },
		{ LIMIT_LOCAL_PART, 1, true },
		{ LIMIT_LOCAL_PART, 253, true },
		{ LIMIT_LOCAL_PART + 1, 1, false },
		{ 1, 254, false },
		{ 1, 255, false },
		{ 1, 257, false },
		{ 5000, 5000, false },
		{ 1, 100000, false },
		{ 100000, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char *text = long_address(rows[i].local, 'l', rows[i].domain);
		struct address a;

		assert_int_equal(
		    address_parse(text, 0, &a), rows[i].good ? 0 : -1);
		if (rows[i].good)
			check_canonical(&a);
		free(text);
	}
}

static void
labels_are_bounded(void **state)
{
	char label[66];

	(void)state;
	memset(label, 'x', sizeof(label));
	label[63] = '\0';
	assert_true(domain_is_valid(label));
	label[63] = 'x';
	label[64] = '\0';
	assert_false(domain_is_valid(label));
}

/* The canonical text can be longer than its parts: it has a bound too. */
static void
quoting_cannot_overflow(void **state)
{
	char local[LIMIT_LOCAL_PART + 2];
	struct address a;
	char domain[LIMIT_DOMAIN + 1];

	(void)state;
	memset(domain, 'd', sizeof(domain));
	for (size_t i = 63; i < sizeof(domain); i += 64)
		domain[i] = '.';
	domain[253] = '\0';
	for (size_t n = 1; n <= LIMIT_LOCAL_PART; n++) {
		int result;

		memset(local, '"', n);
		local[n] = '\0';
		result = address_make(local, domain, &a);
		/* Two octets each, two quotes, the at, the domain. */
		assert_int_equal(
		    result, 2 * n + 2 + 1 + 253 <= LIMIT_PATH ? 0 : -1);
		if (result == 0)
			check_canonical(&a);
	}
	memset(local, 'l', sizeof(local));
	local[LIMIT_LOCAL_PART + 1] = '\0';
	assert_int_equal(address_make(local, "d", &a), -1);
}

static void
parts_make_an_address(void **state)
{
	static const struct {
		const char *local, *domain, *text;
	} rows[] = {
		{ "alice", "Example.org", "alice@example.org" },
		{ "a b", "x", "\"a b\"@x" },
		{ "a\"b\\c", "x", "\"a\\\"b\\\\c\"@x" },
		{ "a@b", "x", "\"a@b\"@x" },
		{ "", "x", NULL },
		{ "", "", NULL },
		{ "alice", "", NULL },
		{ "Postmaster", "", "postmaster" },
		{ "Postmaster", "X", "Postmaster@x" },
		{ "a\n", "x", NULL },
		{ "a\x80", "x", NULL },
		{ "a", "x y", NULL },
		{ "a", "x\n", NULL },
		{ "a", "[192.0.2.1]", "a@[192.0.2.1]" },
		{ "a", "[192.0.2.1]x", NULL },
		{ "a", "[", NULL },
	};
	struct address a;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		int result = address_make(rows[i].local, rows[i].domain, &a);

		assert_int_equal(result, rows[i].text != NULL ? 0 : -1);
		if (result == 0)
			assert_string_equal(a.text, rows[i].text);
	}
}

/* Its own parts may be passed back in, one of them changed. */
static void
an_address_can_be_remade_in_place(void **state)
{
	struct address a;

	(void)state;
	assert_int_equal(address_parse("a@x", 0, &a), 0);
	assert_int_equal(address_make("b c", a.domain, &a), 0);
	assert_string_equal(a.text, "\"b c\"@x");
	assert_int_equal(address_make(a.local, "[IPv6:::1]", &a), 0);
	assert_string_equal(a.text, "\"b c\"@[ipv6:::1]");
	assert_int_equal(address_make(a.local, a.domain, &a), 0);
	assert_string_equal(a.text, "\"b c\"@[ipv6:::1]");
}

static void
domains_are_checked(void **state)
{
	static const char *const good[] = { "a", "a.b", "1.2", "a-b", "a--b",
		"_dmarc.example.org", "xn--p1ai", "A.B", "127.0.0.1" };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "-a",
		"a-", "a.-b", "a b", "a\n", "a/b", "[127.0.0.1]", "a:b", "*.a",
		"\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++)
		assert_true(domain_is_valid(good[i]));
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(domain_is_valid(bad[i]));
	assert_true(address_literal_is_valid("[127.0.0.1]"));
	assert_true(address_literal_is_valid("[IPv6:::1]"));
	assert_false(address_literal_is_valid("127.0.0.1"));
	assert_false(address_literal_is_valid("[::1]"));
	assert_false(address_literal_is_valid("["));
	assert_false(address_literal_is_valid("[IPv6:"));
	assert_false(address_literal_is_valid(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes_become_canonical),
		cmocka_unit_test(paths_end_at_their_bracket),
		cmocka_unit_test(paths_and_mailboxes_agree),
		cmocka_unit_test(the_parts_are_apart),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(labels_are_bounded),
		cmocka_unit_test(quoting_cannot_overflow),
		cmocka_unit_test(parts_make_an_address),
		cmocka_unit_test(an_address_can_be_remade_in_place),
		cmocka_unit_test(domains_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
