/*
 * Who asks, as the kernel says it: not what the asker says of himself.
 *
 * Administrators are root and the members of one group, if there is such a
 * group. What each question needs is in the table of control_work.c.
 */
#ifndef QUEUE_CONTROL_PEER_H
#define QUEUE_CONTROL_PEER_H

#include <sys/types.h>

#include <stdbool.h>

#define CONTROL_GROUP "postern-admin"

struct control_peer {
	uid_t uid;
	pid_t pid;
	bool admin;
};

/* Looks the group up: before the sandbox. */
void control_peer_begin(void);
/* -1 with errno. */
int control_peer_read(int fd, struct control_peer *)
    __attribute__((warn_unused_result));

#endif
