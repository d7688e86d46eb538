#include "router/users.h"

#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "common/log.h"
#include "common/login.h"
#include "common/monotime.h"

#define REMEMBERED 1024 /* logins; a power of two */
#define REMEMBER_MS 1000
#define PASSWD_LINE 16384 /* far beyond any real line of passwd(5) */
/* Our own programs run as these. */
#define OWN_USERS "postern-"

struct remembered {
	char login[LIMIT_USER + 1];
	struct monotime until;
	bool has_home;
};

struct users {
	const struct tables *tables;
	struct remembered remembered[REMEMBERED];
};

void
users_prepare(void)
{
	if (__nss_configure_lookup("passwd", "files") == -1)
		log_warn("users-error error=\"%s\"", strerror(errno));
	(void)getpwnam("root");
	(void)getpwuid(0);
}

struct users *
users_new(const struct tables *tables)
{
	struct users *users = calloc(1, sizeof(*users));

	if (users != NULL)
		users->tables = tables;
	return users;
}

void
users_free(struct users **pointer)
{
	free(*pointer);
	*pointer = NULL;
}

static struct remembered *
remembered_place(struct users *users, const char *login)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (; *login != '\0'; login++)
		hash = (hash ^ (unsigned char)*login) * 16777619U;
	return &users->remembered[hash % REMEMBERED];
}

/* Whom deliver/spawn would refuse is refused to the client already. */
static bool
may_have_mail(const struct passwd *entry)
{
	return entry->pw_uid != 0 && entry->pw_gid != 0 &&
	       strncmp(entry->pw_name, OWN_USERS, strlen(OWN_USERS)) != 0;
}

static enum user_result
ask_system(const char *login, bool *has_home)
{
	static char line[PASSWD_LINE];
	struct passwd entry, *found = NULL;
	int error = getpwnam_r(login, &entry, line, sizeof(line), &found);

	if (found != NULL) {
		*has_home = login_has_home(found->pw_dir);
		return may_have_mail(found) ? USER_FOUND : USER_NONE;
	}
	/* Of files only "no error" means that the name is not there; ENOENT
	 * would be the file itself. */
	if (error == 0)
		return USER_NONE;
	log_warn("user-error login=\"%s\" error=\"%s\"", log_text(login),
	    strerror(error));
	return USER_ERROR;
}

/* A mailbox below the home is none if there is no home: its mail would wait in
 * the queue until it is given up. */
static bool
needs_home(const struct mailbox_config *mailbox)
{
	return mailbox->path[0] == '~';
}

static enum user_result
find_login(struct users *users, const struct mailbox_config *mailbox,
    const char *login)
{
	struct remembered *place;
	struct monotime now;
	enum user_result result;
	bool has_home = false;

	if (!login_name_is_valid(login))
		return USER_NONE;
	place = remembered_place(users, login);
	now = monotime_now();
	if (strcmp(place->login, login) != 0 ||
	    !monotime_is_before(now, place->until)) {
		result = ask_system(login, &has_home);
		if (result != USER_FOUND)
			return result;
		strlcpy(place->login, login, sizeof(place->login));
		place->until = monotime_add_ms(now, REMEMBER_MS);
		place->has_home = has_home;
	}
	return place->has_home || !needs_home(mailbox) ? USER_FOUND : USER_NONE;
}

/* Whoever the table names must exist: if not, the table is wrong, and mail
 * waits until it is mended. */
static enum user_result
find_in_table(struct users *users, const struct mailbox_config *mailbox,
    const char *name, const char **login)
{
	struct table *table = tables_find(users->tables, mailbox->users_table);
	struct table_value value;

	if (table == NULL)
		return USER_ERROR;
	switch (table_lookup(table, name, &value)) {
	case TABLE_ERROR:
		return USER_ERROR;
	case TABLE_NONE:
		return USER_NONE;
	case TABLE_FOUND:
		break;
	}
	*login = value.text[0] != '\0' ? value.text : name;
	if (find_login(users, mailbox, *login) == USER_FOUND)
		return USER_FOUND;
	log_warn("table-fault file=\"%s\" line=%u key=\"%s\" "
		 "error=\"no login of this name, or it has no home, or is root "
		 "or our own\"",
	    log_text(value.place), value.line, log_text(name));
	return USER_ERROR;
}

enum user_result
users_find(struct users *users, const struct mailbox_config *mailbox,
    const char *name, char login[LIMIT_USER + 1])
{
	enum user_result result = USER_ERROR;

	switch (mailbox->users) {
	case MAILBOX_USERS_SYSTEM:
		result = find_login(users, mailbox, name);
		break;
	case MAILBOX_USERS_TABLE:
		result = find_in_table(users, mailbox, name, &name);
		break;
	}
	if (result == USER_FOUND)
		strlcpy(login, name, LIMIT_USER + 1);
	return result;
}
