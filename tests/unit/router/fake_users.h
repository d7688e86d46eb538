/* Users that a test makes up, instead of router/users.c. */
#ifndef TESTS_UNIT_ROUTER_FAKE_USERS_H
#define TESTS_UNIT_ROUTER_FAKE_USERS_H

#include <bsd/string.h>

#include "router/users.h"

static bool fake_postmaster; /* is there a login of that name? */

/* bob, alice and carol exist; nobody can say about "busy". */
enum user_result
users_find(struct users *users, const struct mailbox_config *mailbox,
    const char *name, char login[LIMIT_USER + 1])
{
	static const char *const names[] = { "bob", "alice", "carol" };

	(void)users;
	if (strcmp(name, "busy") == 0)
		return USER_ERROR;
	strlcpy(login, name, LIMIT_USER + 1);
	if (fake_postmaster && strcmp(name, "postmaster") == 0)
		return USER_FOUND;
	/* Only a table has names with a detail of their own. */
	if (mailbox->users == MAILBOX_USERS_TABLE &&
	    strcmp(name, "bob+own") == 0)
		return USER_FOUND;
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return USER_FOUND;
	return USER_NONE;
}

#endif
