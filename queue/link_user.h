/*
 * The link to everybody else on this host: what waits for their own mailbox.
 *
 * Whoever connects is a stranger of whom only the kernel's word is known. Not
 * one octet is read before the supervisor has said which login that uid has,
 * and what is told then is what is in line for that login's mailbox. Few are
 * served at once, fewer of one user, at a slow pace, by this socket only: so
 * nobody here can keep an administrator waiting, or the queue busy.
 */
#ifndef QUEUE_LINK_USER_H
#define QUEUE_LINK_USER_H

#include <stdint.h>

#define USER_CLIENTS 8 /* at once, */
#define USER_EACH 2    /* of one uid */

struct event_base;

/* Takes the listening socket; before the loop starts only. */
void user_start(struct event_base *, int listener_fd);
/* What the supervisor says (child.h). */
void user_login(uint32_t uid, const char *login);

#endif
