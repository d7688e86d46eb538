/*
 * Who asks, as the kernel says it: not what the asker says of himself.
 *
 * Administrators are root and the members of one group, if there is such a
 * group. Everybody else owns what is in line for the mailbox of their login,
 * and nothing more: of what was sent nothing in the store says which login sent
 * it, and a sender's address is whatever a client wrote. What each question needs is in the table of control_work.c.
 */
#ifndef QUEUE_CONTROL_PEER_H
#define QUEUE_CONTROL_PEER_H

#include <sys/types.h>

#include <stdbool.h>

#include "common/limits.h"

#define CONTROL_GROUP "postern-admin"

struct control_peer {
	uid_t uid;
	pid_t pid;
	bool admin;
	/* The destination that is theirs; empty if none is, or all are. */
	char own[LIMIT_DESTINATION + 1];
};

/* Looks the group up: before the sandbox. */
void control_peer_begin(void);
/* -1 with errno. */
int control_peer_read(int fd, struct control_peer *)
    __attribute__((warn_unused_result));
/* An ordinary user, with the login that the supervisor says; empty: none. */
void control_peer_owns(struct control_peer *, const char *login);

#endif
