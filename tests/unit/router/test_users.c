/*
 * Against the real /etc/passwd of whatever system this runs on: "bin" and
 * "daemon" are everywhere, and so is root, and "nobody" who has no home.
 */
#include "tests/unit/router/test.h"

#include "router/users.h"

static char at_home[] = "~/Maildir", in_spool[] = "/srv/mail";
static const struct mailbox_config system_users = {
	.users = MAILBOX_USERS_SYSTEM,
	.path = at_home,
};
static const struct mailbox_config elsewhere = {
	.users = MAILBOX_USERS_SYSTEM,
	.path = in_spool,
};

static void
of_the_system(void **state)
{
	static const struct {
		const char *name;
		enum user_result result;
	} rows[] = {
		{ "bin", USER_FOUND },
		{ "daemon", USER_FOUND },
		{ "bin", USER_FOUND }, /* remembered */
		{ "nobody", USER_NONE },
		{ "nobody", USER_NONE },
		{ "root", USER_NONE },
		{ "root", USER_NONE },
		{ "no-such-user-here", USER_NONE },
		{ "postern-router", USER_NONE }, /* ours, if it is there */
		{ "-bin", USER_NONE },
		{ ".bin", USER_NONE },
		{ "", USER_NONE },
		{ "bin bin", USER_NONE },
		{ "bin:x", USER_NONE },
		{ "../bin", USER_NONE },
		{ "+", USER_NONE },
		{ "bin\n", USER_NONE },
		{ "\xc3\xa9", USER_NONE },
		{ "a234567890123456789012345678901234567890123456789012345678"
		  "901234567890",
		    USER_NONE },
	};
	struct config config = { .table_count = 0 };
	struct tables *tables = tables_new(&config);
	struct users *users = users_new(tables);
	char login[LIMIT_USER + 1];

	(void)state;
	assert_non_null(users);
	for (size_t i = 0; i < COUNT(rows); i++) {
		login[0] = '\0';
		if (users_find(users, &system_users, rows[i].name, login) !=
		    rows[i].result)
			fail_msg("%s", rows[i].name);
		assert_string_equal(
		    login, rows[i].result == USER_FOUND ? rows[i].name : "");
	}
	users_free(&users);
	tables_free(&tables);
}

/* Whoever has no home can have a mailbox that is not below it. */
static void
without_a_home(void **state)
{
	struct config config = { .table_count = 0 };
	struct tables *tables = tables_new(&config);
	struct users *users = users_new(tables);
	char login[LIMIT_USER + 1];

	(void)state;
	assert_non_null(users);
	for (int i = 0; i < 2; i++) { /* found out, and remembered */
		assert_int_equal(
		    users_find(users, &elsewhere, "nobody", login), USER_FOUND);
		assert_string_equal(login, "nobody");
		assert_int_equal(
		    users_find(users, &system_users, "nobody", login),
		    USER_NONE);
		assert_int_equal(
		    users_find(users, &elsewhere, "root", login), USER_NONE);
	}
	users_free(&users);
	tables_free(&tables);
}

static void
of_a_table(void **state)
{
	static const struct {
		const char *name;
		enum user_result result;
		const char *login;
	} rows[] = {
		{ "info", USER_FOUND, "bin" },
		{ "daemon", USER_FOUND, "daemon" }, /* stands alone */
		{ "bin", USER_NONE, "" },   /* a login, but not listed */
		{ "boss", USER_ERROR, "" }, /* root: the table is wrong */
		{ "left", USER_ERROR, "" }, /* no such login */
		{ "odd", USER_ERROR, "" },
		{ "anybody", USER_ERROR, "" }, /* no home */
	};
	char text[512];
	const char *path =
	    test_file("info: bin\nanybody: nobody\ndaemon\nboss: root\n"
		      "left: no-such-user-here\n"
		      "odd: ../etc\n");
	struct config *config;
	struct tables *tables;
	struct users *users;
	char login[LIMIT_USER + 1];

	(void)state;
	snprintf(text, sizeof(text),
	    "table \"t\" file \"%s\"\n"
	    "mailbox \"m\" users table \"t\" deliver maildir \"~/M\"\n"
	    "accept to domain \"example.org\" mailbox \"m\"\n",
	    path);
	config = test_config(text);
	tables = tables_new(config);
	users = users_new(tables);
	assert_non_null(users);
	for (size_t i = 0; i < COUNT(rows); i++) {
		login[0] = '\0';
		if (users_find(users, config_mailbox(config, "m"), rows[i].name,
			login) != rows[i].result)
			fail_msg("%s", rows[i].name);
		assert_string_equal(login, rows[i].login);
	}
	unlink(path);
	users_free(&users);
	tables_free(&tables);
	config_free(&config);
}

static void
of_a_table_that_is_gone(void **state)
{
	struct config *config =
	    test_config("table \"t\" file \"/nonexistent/users\"\n"
			"mailbox \"m\" users table \"t\" deliver maildir "
			"\"~/M\"\n"
			"accept to domain \"example.org\" mailbox \"m\"\n");
	struct tables *tables = tables_new(config);
	struct users *users = users_new(tables);
	char login[LIMIT_USER + 1];

	(void)state;
	assert_int_equal(
	    users_find(users, config_mailbox(config, "m"), "nobody", login),
	    USER_ERROR);
	users_free(&users);
	tables_free(&tables);
	config_free(&config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_system),
		cmocka_unit_test(without_a_home),
		cmocka_unit_test(of_a_table),
		cmocka_unit_test(of_a_table_that_is_gone),
	};

	users_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
