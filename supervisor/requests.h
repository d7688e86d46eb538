/*
 * What root asks of the supervisor through its socket: a pause of listening,
 * or a reload, and the answer when that has ended. Few clients at a time; the others wait to be
 * let in, and those who ask nothing are let go.
 */
#ifndef SUPERVISOR_REQUESTS_H
#define SUPERVISOR_REQUESTS_H

#include "supervisor/house.h"

/* The socket is lent. -1 with errno. */
int requests_start(struct house *, int listening)
    __attribute__((warn_unused_result));

#endif
