/*
 * Whose mailbox it is: what spawn found out about a login name, and what the
 * worker that it forks then is.
 */
#ifndef DELIVER_LOCAL_OWNER_H
#define DELIVER_LOCAL_OWNER_H

#include <sys/types.h>

#include <limits.h>

#include "common/limits.h"

struct owner {
	char login[LIMIT_USER + 1];
	uid_t uid;
	gid_t gid;
	char home[PATH_MAX];
};

#endif
