/*
 * The listening sockets, which all workers share. Nothing is accepted while
 * there is no room for another client, or the administrator wants none: then
 * the sockets are closed for clients, but stay ours (supervisor/quiet.h).
 */
#ifndef SMTPD_LISTENERS_H
#define SMTPD_LISTENERS_H

#include <stdbool.h>

#include "common/child.h"

struct event_base;

/* Takes the listeners of the child. -1 with errno. */
int listeners_start(struct event_base *, struct child *)
    __attribute__((warn_unused_result));
/* There is room for another client again. */
void listeners_resume(void);
/* Whether the administrator wants clients. */
void listeners_listen(bool on);
/* Closes them. */
void listeners_stop(void);

#endif
