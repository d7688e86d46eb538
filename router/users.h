/*
 * Does a mailbox have this user, and which login owns it?
 *
 * The users of the system are those of /etc/passwd: the sandbox lets no
 * directory service be asked. root, every other name of uid or gid 0, and the
 * users that postern itself runs as are no users here, since no mail is
 * delivered as them; an alias says who reads root's. Nor has a mailbox below
 * the home those who have none, as most accounts of the system.
 *
 * Answers are remembered for a second, so that a busy mailbox costs no system
 * call a message.
 */
#ifndef ROUTER_USERS_H
#define ROUTER_USERS_H

#include "common/config.h"
#include "router/table.h"

struct users;

enum user_result {
	USER_FOUND,
	USER_NONE,
	USER_ERROR, /* cannot be said now */
};

/* Before the sandbox: loads what getpwnam(3) loads when first called. */
void users_prepare(void);

/* NULL with errno. */
struct users *users_new(const struct tables *)
    __attribute__((warn_unused_result));
void users_free(struct users **);

/* `name` is a local part in lower case. */
enum user_result users_find(struct users *, const struct mailbox_config *,
    const char *name, char login[LIMIT_USER + 1])
    __attribute__((warn_unused_result));

#endif
