/*
 * Against the real /etc/passwd of whatever system this runs on: "nobody" and
 * "daemon" are everywhere, and so is root.
 */
#include "tests/unit/router/test.h"

#include "router/users.h"

static const struct mailbox_config system_users = {
	.users = MAILBOX_USERS_SYSTEM,
};

static void
of_the_system(void **state)
{
	static const struct {
		const char *name;
		enum user_result result;
	} rows[] = {
		{ "nobody", USER_FOUND },
		{ "daemon", USER_FOUND },
		{ "nobody", USER_FOUND }, /* remembered */
		{ "root", USER_NONE },
		{ "root", USER_NONE },
		{ "no-such-user-here", USER_NONE },
		{ "postern-router", USER_NONE }, /* ours, if it is there */
		{ "-nobody", USER_NONE },
		{ ".nobody", USER_NONE },
		{ "", USER_NONE },
		{ "no body", USER_NONE },
		{ "nobody:x", USER_NONE },
		{ "../nobody", USER_NONE },
		{ "+", USER_NONE },
		{ "nobody\n", USER_NONE },
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

static void
of_a_table(void **state)
{
	static const struct {
		const char *name;
		enum user_result result;
		const char *login;
	} rows[] = {
		{ "info", USER_FOUND, "nobody" },
		{ "daemon", USER_FOUND, "daemon" }, /* stands alone */
		{ "nobody", USER_NONE, "" }, /* a login, but not listed */
		{ "boss", USER_ERROR, "" },  /* root: the table is wrong */
		{ "left", USER_ERROR, "" },  /* no such login */
		{ "odd", USER_ERROR, "" },
	};
	char text[512];
	const char *path = test_file("info: nobody\ndaemon\nboss: root\n"
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
		cmocka_unit_test(of_a_table),
		cmocka_unit_test(of_a_table_that_is_gone),
	};

	users_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
