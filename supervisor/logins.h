/*
 * Which login a uid has, for the queue: it hears the uid of whoever asks for
 * their mail from the kernel, and has no passwd(5) in its cage.
 *
 * Of /etc/passwd only, as the router and spawn: no other source of the name
 * service is asked, which could make us wait. The first name of a uid counts.
 */
#ifndef SUPERVISOR_LOGINS_H
#define SUPERVISOR_LOGINS_H

#include <sys/types.h>

#include "common/limits.h"
#include "common/message.h"

struct process;

/* More often than the queue lets users in: who asks more is broken. */
#define LOGINS_A_SECOND 100

/* `login` has LIMIT_USER + 1 octets; empty if no login that can have mail has
 * this uid, or the file cannot be read. */
void logins_find(const char *passwd, uid_t, char *login);
/* Sends LOGIN. -1 if this process asks too much. */
int logins_answer(struct process *, const struct message_who *)
    __attribute__((warn_unused_result));

#endif
