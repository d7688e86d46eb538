#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include <bsd/string.h>

#include "common/limits.h"
#include "common/mail.h"
#include "ctl/options.h"

#define MOST 8

static const struct command command = {
	.name = "remove",
	.arguments = "",
	.summary = "",
	.options = OPTIONS_FILTER | OPTIONS_ACT,
};

/* `line` is split at blanks. */
static int
parse(const char *line, struct options *o)
{
	static char copy[4096];
	static char *words[MOST];
	int count = 0;

	strlcpy(copy, line, sizeof(copy));
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " ")) {
		assert_true(count < MOST);
		words[count++] = w;
	}
	return options_parse(&command, count, words, o);
}

static void
understands(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("", &o), EX_OK);
	assert_true(filter_is_everything(&o.filter));
	assert_int_equal(o.count, 0);
	assert_int_equal(
	    parse("a --sender x@y --recipient=@z b --all", &o), EX_OK);
	assert_string_equal(o.filter.sender, "x@y");
	assert_string_equal(o.filter.recipient, "@z");
	assert_true(o.all);
	assert_false(o.dry_run);
	assert_int_equal(o.count, 2);
	assert_string_equal(o.words[0], "a");
	assert_string_equal(o.words[1], "b");
	assert_int_equal(
	    parse("--state held --older-than 1h --reply=a=b", &o), EX_OK);
	assert_int_equal(o.filter.state, RECIPIENT_HELD + 1);
	assert_int_equal(o.filter.age, 3600);
	assert_string_equal(o.filter.reply, "a=b");
	/* No harm is in saying it again. */
	assert_int_equal(parse("--state held --state=held", &o), EX_OK);
	assert_int_equal(parse("-- --all -", &o), EX_OK);
	assert_false(o.all);
	assert_int_equal(o.count, 2);
}

static void
refuses(void **state)
{
	static const char *const lines[] = { "--json", "--content", "--sendr x",
		"--sender", "--sender=", "--all=yes", "--state sleeping",
		"--older-than soon", "-x", "--", "--a",
		"--sender x@y --sender y@x", "--sender x", "--recipient <>",
		"--recipient y.test", "--destination y.test",
		"--destination mxy.test", "--state=held --state waiting" };
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(lines[i], &o),
		    strcmp(lines[i], "--") == 0 ? EX_OK : EX_USAGE);
}

static void
takes_names(void **state)
{
	static const char *const lines[] = { "--sender <>", "--sender @y.test",
		"--sender x@y.test", "--recipient Postmaster",
		"--recipient @y.test", "--destination MX:y.test",
		"--destination local:x", "--destination relay:x" };
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i], &o), EX_OK);
		assert_false(filter_is_everything(&o.filter));
	}
}

static void
refuses_too_long(void **state)
{
	char line[LIMIT_PATH + 32] = "--sender=";
	struct options o;

	(void)state;
	memset(line + 9, 'x', LIMIT_PATH);
	line[9] = '@';
	assert_int_equal(parse(line, &o), EX_OK);
	line[9 + LIMIT_PATH] = 'x';
	assert_int_equal(parse(line, &o), EX_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands),
		cmocka_unit_test(refuses),
		cmocka_unit_test(takes_names),
		cmocka_unit_test(refuses_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
