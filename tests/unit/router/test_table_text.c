#include "tests/unit/router/test.h"

#include "router/table_text.h"

#define FAULTS_MOST 8

struct faults {
	unsigned int lines[FAULTS_MOST];
	unsigned int count;
};

static void
note(unsigned int line, const char *why, void *context)
{
	struct faults *faults = context;

	assert_non_null(why);
	assert_true(faults->count < FAULTS_MOST);
	faults->lines[faults->count++] = line;
}

/* The text in a buffer of exactly the size that is promised, so that a
 * sanitizer sees a step too far. */
static char *
parse(struct table_text *t, const char *text, size_t length,
    struct faults *faults)
{
	char *copy = malloc(length + 1);

	assert_non_null(copy);
	memcpy(copy, text, length);
	copy[length] = 'x';
	*faults = (struct faults){ .count = 0 };
	assert_int_equal(table_text_parse(t, copy, length, note, faults), 0);
	return copy;
}

static const struct row {
	const char *what, *text, *key, *value; /* value NULL: there is none */
	unsigned int line;
} rows[] = {
	{ "simple", "a: b\n", "a", "b", 1 },
	{ "no line feed at the end", "a: b", "a", "b", 1 },
	{ "carriage returns", "a: b\r\nc: d\r\n", "c", "d", 2 },
	{ "blanks everywhere", "a \t :  b  \n", "a", "b", 1 },
	{ "no blank", "a:b\n", "a", "b", 1 },
	{ "key in capitals", "PostMaster: Bob\n", "postmaster", "Bob", 1 },
	{ "comment and empty lines", "# x: y\n\n   \n  # z\na: b\n", "a", "b",
	    5 },
	{ "a comment is no key", "#a: b\n", "#a", NULL, 0 },
	{ "continued", "a: b,\n\tc,\n  d\n", "a", "b, c, d", 1 },
	{ "continued over a comment", "a: b,\n# no\n\n c\n", "a", "b, c", 1 },
	{ "after a continued one", "a: b,\n c\nd: e\n", "d", "e", 3 },
	{ "value on the next line", "a:\n b\n", "a", "b", 1 },
	{ "colon on the next line", "a\n : b\n", "a", "b", 1 },
	{ "quoted key", "\"a b\": c\n", "a b", "c", 1 },
	{ "quoted colon", "\"a:b\": c\n", "a:b", "c", 1 },
	{ "escaped quote", "\"a\\\"b\" : c\n", "a\"b", "c", 1 },
	{ "key alone", "example.org\n", "example.org", "", 1 },
	{ "quoted key alone", "\"example.org\"\n", "example.org", "", 1 },
	{ "empty value", "a:\n", "a", "", 1 },
	{ "address as key", "bob@example.org: bob\n", "bob@example.org", "bob",
	    1 },
	{ "colon in the value", "a: :include:/x\n", "a", ":include:/x", 1 },
	{ "absent", "a: b\n", "b", NULL, 0 },
	{ "empty file", "", "a", NULL, 0 },
	{ "the first of two", "a: b\na: c\n", "a", "b", 1 },
	{ "after a wrong line", "x y z\na: b\n", "a", "b", 2 },
	{ "a prefix is not the key", "ab: c\n", "a", NULL, 0 },
};

static void
finds_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		const struct table_entry *entry;
		struct table_text t;
		struct faults faults;
		char *copy = parse(&t, row->text, strlen(row->text), &faults);

		entry = table_text_find(&t, row->key);
		if ((entry == NULL) != (row->value == NULL))
			fail_msg("%s", row->what);
		if (entry != NULL) {
			assert_string_equal(entry->value, row->value);
			assert_int_equal(entry->line, row->line);
		}
		table_text_clear(&t);
		free(copy);
	}
}

static const struct wrong {
	const char *text;
	size_t length;
	unsigned int line;
} wrong[] = {
	{ "a b: c\n", 7, 1 },
	{ "ok: x\na b\n", 10, 2 },
	{ "  b\n", 4, 1 },
	{ ": b\n", 4, 1 },
	{ "\"\": b\n", 6, 1 },
	{ "\"a: b\n", 6, 1 },
	{ "\"a\" b: c\n", 9, 1 },
	{ "\"a\\", 3, 1 },
	{ "\"", 1, 1 },
	{ "a\0b: c\n", 7, 1 },
	{ "a: b\0c\n", 7, 1 },
	{ "x: y\na: b\nx: z\n", 15, 3 },
};

static void
reports_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct table_text t;
		struct faults faults;
		char *copy = parse(&t, wrong[i].text, wrong[i].length, &faults);

		assert_int_equal(faults.count, 1);
		assert_int_equal(faults.lines[0], wrong[i].line);
		table_text_clear(&t);
		free(copy);
	}
}

static void
finds_each_of_many(void **state)
{
	enum { MANY = 20000 };
	struct table_text t;
	struct faults faults;
	char *text = NULL, *copy;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	for (int i = 0; i < MANY; i++)
		fprintf(
		    out, "key%d: value%d,\n  more%d\n", i * 7919 % MANY, i, i);
	fclose(out);
	copy = parse(&t, text, size, &faults);
	assert_int_equal(faults.count, 0);
	assert_int_equal(t.count, MANY);
	for (int i = 0; i < MANY; i++) {
		char key[32], value[64];
		const struct table_entry *entry;

		snprintf(key, sizeof(key), "key%d", i * 7919 % MANY);
		snprintf(value, sizeof(value), "value%d, more%d", i, i);
		entry = table_text_find(&t, key);
		assert_non_null(entry);
		assert_string_equal(entry->value, value);
		assert_int_equal(entry->line, 2 * i + 1);
	}
	table_text_clear(&t);
	free(copy);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_values),
		cmocka_unit_test(reports_faults),
		cmocka_unit_test(finds_each_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
