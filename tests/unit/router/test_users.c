/*
 * Against the real /etc/passwd of whatever system this runs on: "bin" and
 * "daemon" are everywhere, at home in folders of the system, and so is root,
 * and "nobody" who has no home.
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

/* A mailbox that is not below the home needs none. */
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
		{ "nobody", USER_FOUND },
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
		if (users_find(users, &elsewhere, rows[i].name, login) !=
		    rows[i].result)
			fail_msg("%s", rows[i].name);
		assert_string_equal(
		    login, rows[i].result == USER_FOUND ? rows[i].name : "");
	}
	users_free(&users);
	tables_free(&tables);
}

/* Of them only the mail outside of it can be delivered. */
static void
without_a_home(void **state)
{
	static const char *const names[] = { "nobody", "daemon", "bin" };
	struct config config = { .table_count = 0 };
	struct tables *tables = tables_new(&config);
	struct users *users = users_new(tables);
	char login[LIMIT_USER + 1];

	(void)state;
	assert_non_null(users);
	/* Found out, and remembered. */
	for (size_t i = 0; i < 2 * COUNT(names); i++) {
		const char *name = names[i / 2];

		assert_int_equal(
		    users_find(users, &elsewhere, name, login), USER_FOUND);
		assert_string_equal(login, name);
		if (users_find(users, &system_users, name, login) != USER_NONE)
			fail_msg("%s has a home", name);
	}
	users_free(&users);
	tables_free(&tables);
}

struct answer {
	const char *name;
	enum user_result result;
	const char *login;
};

/* In a mailbox whose users are those of a table of this text. */
static void
expect_of_table(const char *table, const char *maildir,
    const struct answer *answers, size_t count)
{
	char text[512];
	const char *path = test_file(table);
	struct config *config;
	struct tables *tables;
	struct users *users;
	char login[LIMIT_USER + 1];

	snprintf(text, sizeof(text),
	    "table \"t\" file \"%s\"\n"
	    "mailbox \"m\" users table \"t\" deliver maildir \"%s\"\n"
	    "accept to domain \"example.org\" mailbox \"m\"\n",
	    path, maildir);
	config = test_config(text);
	tables = tables_new(config);
	users = users_new(tables);
	assert_non_null(users);
	for (size_t i = 0; i < count; i++) {
		login[0] = '\0';
		if (users_find(users, config_mailbox(config, "m"),
			answers[i].name, login) != answers[i].result)
			fail_msg("%s", answers[i].name);
		assert_string_equal(login, answers[i].login);
	}
	unlink(path);
	users_free(&users);
	tables_free(&tables);
	config_free(&config);
}

static void
of_a_table(void **state)
{
	static const struct answer answers[] = {
		{ "info", USER_FOUND, "bin" },
		{ "daemon", USER_FOUND, "daemon" }, /* stands alone */
		{ "bin", USER_NONE, "" },   /* a login, but not listed */
		{ "boss", USER_ERROR, "" }, /* root: the table is wrong */
		{ "left", USER_ERROR, "" }, /* no such login */
		{ "odd", USER_ERROR, "" },
	};

	(void)state;
	expect_of_table("info: bin\ndaemon\nboss: root\n"
			"left: no-such-user-here\nodd: ../etc\n",
	    "/srv/m", answers, COUNT(answers));
}

static void
of_a_table_without_a_home(void **state)
{
	static const struct answer answers[] = {
		{ "anybody", USER_ERROR, "" },
		{ "system", USER_ERROR, "" },
	};

	(void)state;
	expect_of_table("anybody: nobody\nsystem: daemon\n", "~/M", answers,
	    COUNT(answers));
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
		cmocka_unit_test(of_a_table_without_a_home),
		cmocka_unit_test(of_a_table_that_is_gone),
	};

	users_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
