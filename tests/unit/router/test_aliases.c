#include "tests/unit/router/test.h"

#include "router/aliases.h"

/* Each value, and its items: "=address", "\address" for one that is taken as
 * it is, "?" for what is not supported, "!" for what is wrong. */
static const struct row {
	const char *value, *items[5];
} rows[] = {
	{ "", { NULL } },
	{ "  , ,, ", { NULL } },
	{ "bob", { "=bob@here.example" } },
	{ "bob,alice", { "=bob@here.example", "=alice@here.example" } },
	{ " bob ,\t alice , ", { "=bob@here.example", "=alice@here.example" } },
	{ "bob\r\n , alice", { "=bob@here.example", "=alice@here.example" } },
	{ "bob@Far.Example", { "=bob@far.example" } },
	{ "<bob@far.example>, x", { "=bob@far.example", "=x@here.example" } },
	{ "Bob", { "=Bob@here.example" } },
	{ "\\bob, alice", { "\\bob@here.example", "=alice@here.example" } },
	{ "\"john doe\"", { "=\"john doe\"@here.example" } },
	{ "\"a,b\"@far.example, c",
	    { "=\"a,b\"@far.example", "=c@here.example" } },
	{ "\"a@b\"", { "=\"a@b\"@here.example" } },
	{ "\"a\\\"b, c\"", { "=\"a\\\"b, c\"@here.example" } },
	{ "\"bob\"", { "=bob@here.example" } },
	{ "bob+list", { "=bob+list@here.example" } },
	{ "|/bin/true", { "?" } },
	{ "\"|/bin/cmd -x, -y\", bob", { "?", "=bob@here.example" } },
	{ "/var/mail/x, bob", { "?", "=bob@here.example" } },
	{ "\"/var/mail/x y\"", { "?" } },
	{ ":include:/etc/list", { "?" } },
	{ ":INCLUDE:/etc/list", { "?" } },
	{ "\":include:/etc/list\"", { "?" } },
	{ "bob alice", { "!" } },
	{ "bob alice, carol", { "!", "=carol@here.example" } },
	{ "Bob Smith <bob@far.example>", { "!" } },
	{ "bob # a comment", { "!" } },
	{ "bob@", { "!" } },
	{ "@far.example", { "!" } },
	{ "bob@far..example", { "!" } },
	{ "\"bob", { "!" } },
	{ "<bob@far.example", { "!" } },
	{ "<bob@far.example>x", { "!" } },
	{ "<>", { "!" } },
	{ "\\", { "!" } },
	{ "a\\", { "!" } },
	{ "bob@far.example@here.example", { "!" } },
	{ "b\xc3\xb6"
	  "b",
	    { "!" } },
};

static void
check_item(const struct row *row, const char *expected, const char **cursor)
{
	struct alias_item item;

	switch (alias_next(cursor, "here.example", &item)) {
	case ALIAS_END:
		fail_msg("%s: too few", row->value);
		break;
	case ALIAS_ADDRESS:
		if (expected[0] != (item.verbatim ? '\\' : '='))
			fail_msg("%s: %s", row->value, item.address.text);
		assert_string_equal(item.address.text, expected + 1);
		break;
	case ALIAS_UNSUPPORTED:
		if (strcmp(expected, "?") != 0)
			fail_msg("%s: unsupported", row->value);
		break;
	case ALIAS_INVALID:
		if (strcmp(expected, "!") != 0)
			fail_msg("%s: invalid", row->value);
		break;
	}
}

static void
takes_items(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *cursor = rows[i].value;
		struct alias_item item;

		for (int n = 0; rows[i].items[n] != NULL; n++)
			check_item(&rows[i], rows[i].items[n], &cursor);
		if (alias_next(&cursor, "here.example", &item) != ALIAS_END)
			fail_msg("%s: too many", rows[i].value);
		assert_true(*cursor == '\0');
	}
}

static void
refuses_long_ones(void **state)
{
	char value[2000];
	const char *cursor = value;
	struct alias_item item;

	(void)state;
	memset(value, 'a', sizeof(value));
	memcpy(value + sizeof(value) - 4, ", b", 4);
	assert_int_equal(
	    alias_next(&cursor, "here.example", &item), ALIAS_INVALID);
	assert_int_equal(
	    alias_next(&cursor, "here.example", &item), ALIAS_ADDRESS);
	assert_string_equal(item.address.text, "b@here.example");
	assert_int_equal(alias_next(&cursor, "here.example", &item), ALIAS_END);
	/* Long, and still known for what it is. */
	value[0] = '|';
	cursor = value;
	assert_int_equal(
	    alias_next(&cursor, "here.example", &item), ALIAS_UNSUPPORTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_items),
		cmocka_unit_test(refuses_long_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
