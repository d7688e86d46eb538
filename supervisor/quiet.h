/*
 * Listening paused: SMTP clients find the ports closed, so that they go to
 * another host of the domain, or come again. Whoever is in a session ends it.
 *
 * The sockets stay open and bound, so that nobody else can take the ports; but
 * they are no listening ones meanwhile. It lasts over reloads and restarts of
 * smtpd, and ends with the supervisor.
 */
#ifndef SUPERVISOR_QUIET_H
#define SUPERVISOR_QUIET_H

#include <stdbool.h>

#include "supervisor/house.h"

/* 1 if that is a change, 0 if it was so, -1 with errno: then some are as they
 * were, and it may be tried again. */
int quiet_set(struct house *, bool quiet) __attribute__((warn_unused_result));
/* The same for the sockets of a new generation. */
int quiet_apply(const struct house *, struct listeners *)
    __attribute__((warn_unused_result));

#endif
