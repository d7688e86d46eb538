#include "tests/unit/router/test.h"

#include <sys/stat.h>

#include "router/table.h"

static struct monotime later;

/* As if some seconds had passed. */
static void
refresh(struct tables *tables)
{
	later = monotime_add_ms(later, 2000);
	tables_refresh(tables, later);
}

static struct config *
file_config(const char *path)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "table \"t\" file \"%s\"\n"
	    "mailbox \"m\" users system aliases \"t\" deliver maildir \"~/M\"\n"
	    "accept to domain \"example.org\" mailbox \"m\"\n",
	    path);
	return test_config(text);
}

static void
a_list(void **state)
{
	struct config *config =
	    test_config("table \"l\" { \"b.example\" \"A.example\" }\n"
			"accept from local to domain table \"l\" relay\n");
	struct tables *tables = tables_new(config);
	struct table_value value;
	struct table *t;

	(void)state;
	assert_non_null(tables);
	assert_null(tables_find(tables, "other"));
	t = tables_find(tables, "l");
	assert_non_null(t);
	assert_int_equal(table_lookup(t, "a.EXAMPLE", &value), TABLE_FOUND);
	assert_string_equal(value.text, "");
	assert_string_equal(value.place, "l");
	assert_int_equal(table_lookup(t, "b.example", &value), TABLE_FOUND);
	assert_int_equal(table_lookup(t, "c.example", &value), TABLE_NONE);
	assert_int_equal(table_lookup(t, "", &value), TABLE_NONE);
	tables_free(&tables);
	config_free(&config);
}

static void
expect(struct tables *tables, const char *key, enum table_result result,
    const char *text)
{
	struct table_value value = { NULL, NULL, 0 };

	assert_int_equal(
	    table_lookup(tables_find(tables, "t"), key, &value), result);
	if (text != NULL)
		assert_string_equal(value.text, text);
}

static void
a_file_that_changes(void **state)
{
	const char *path = test_file("A: one\n");
	struct config *config = file_config(path);
	struct tables *tables = tables_new(config);
	char fresh[80];

	(void)state;
	assert_non_null(tables);
	expect(tables, "a", TABLE_FOUND, "one");
	/* In place: seen at the first check, believed at the second. */
	test_write(path, "b: two, three\n");
	refresh(tables);
	expect(tables, "a", TABLE_FOUND, "one");
	refresh(tables);
	expect(tables, "a", TABLE_NONE, NULL);
	expect(tables, "B", TABLE_FOUND, "two, three");
	/* By rename, as editors do. */
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	test_write(fresh, "b: four\n");
	assert_int_equal(rename(fresh, path), 0);
	refresh(tables);
	refresh(tables);
	expect(tables, "b", TABLE_FOUND, "four");
	/* Gone: nobody can say; and back. */
	assert_int_equal(unlink(path), 0);
	refresh(tables);
	expect(tables, "b", TABLE_FOUND, "four");
	refresh(tables);
	expect(tables, "b", TABLE_ERROR, NULL);
	test_write(path, "b: five\n");
	refresh(tables);
	expect(tables, "b", TABLE_FOUND, "five");
	unlink(path);
	tables_free(&tables);
	config_free(&config);
}

/* An editor that truncates and then writes shows an empty file between. */
static void
a_file_that_is_being_written(void **state)
{
	const char *path = test_file("a: one\n");
	struct config *config = file_config(path);
	struct tables *tables = tables_new(config);

	(void)state;
	test_write(path, "");
	refresh(tables);
	expect(tables, "a", TABLE_FOUND, "one");
	test_write(path, "a: two\n");
	refresh(tables);
	expect(tables, "a", TABLE_FOUND, "one");
	refresh(tables);
	expect(tables, "a", TABLE_FOUND, "two");
	unlink(path);
	tables_free(&tables);
	config_free(&config);
}

static void
checks_are_a_second_apart(void **state)
{
	const char *path = test_file("a: one\n");
	struct config *config = file_config(path);
	struct tables *tables = tables_new(config);
	struct monotime now = monotime_now();

	(void)state;
	test_write(path, "a: two, longer\n");
	for (int ms = 0; ms < 900; ms += 100)
		tables_refresh(tables, monotime_add_ms(now, ms));
	expect(tables, "a", TABLE_FOUND, "one");
	unlink(path);
	tables_free(&tables);
	config_free(&config);
}

static void
what_is_no_file(void **state)
{
	char folder[] = "/tmp/postern-router-test.XXXXXX", fifo[64];
	struct config *config;
	struct tables *tables;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (int i = 0; i < 2; i++) {
		config = file_config(i == 0 ? folder : fifo);
		tables = tables_new(config);
		assert_non_null(tables);
		expect(tables, "a", TABLE_ERROR, NULL);
		refresh(tables);
		expect(tables, "a", TABLE_ERROR, NULL);
		tables_free(&tables);
		config_free(&config);
	}
	unlink(fifo);
	rmdir(folder);
}

/* Sparse, so that it costs nothing. */
static void
a_file_that_is_too_big(void **state)
{
	const char *path = test_file("");
	struct config *config;
	struct tables *tables;

	(void)state;
	assert_int_equal(truncate(path, LIMIT_TABLE_SIZE + 1), 0);
	config = file_config(path);
	tables = tables_new(config);
	expect(tables, "a", TABLE_ERROR, NULL);
	unlink(path);
	tables_free(&tables);
	config_free(&config);
}

static void
a_key_that_is_too_long(void **state)
{
	const char *path = test_file("a: one\n");
	struct config *config = file_config(path);
	struct tables *tables = tables_new(config);
	char key[LIMIT_PATH + 2];

	(void)state;
	memset(key, 'a', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	expect(tables, key, TABLE_NONE, NULL);
	key[LIMIT_PATH] = '\0';
	expect(tables, key, TABLE_NONE, NULL);
	unlink(path);
	tables_free(&tables);
	config_free(&config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list),
		cmocka_unit_test(a_file_that_changes),
		cmocka_unit_test(a_file_that_is_being_written),
		cmocka_unit_test(checks_are_a_second_apart),
		cmocka_unit_test(what_is_no_file),
		cmocka_unit_test(a_file_that_is_too_big),
		cmocka_unit_test(a_key_that_is_too_long),
	};

	later = monotime_now();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
