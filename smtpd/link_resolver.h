/*
 * The name of a client: what its address points back to, if that name has the
 * address too (RFC 8601 2.7.3 calls it iprev). Asked when the client connects
 * and used if it is there in time; nothing ever waits for it.
 */
#ifndef SMTPD_LINK_RESOLVER_H
#define SMTPD_LINK_RESOLVER_H

#include "smtpd/link.h"

struct lookup;

/* The name, or NULL: the end of the look-up, which is gone then. */
typedef void lookup_done(void *owner, const char *name);

void link_resolver_add(struct event_base *, const struct child_peer *);

/* NULL if it cannot be asked now. At the end `done` is called, once; never from
 * within this. */
struct lookup *link_resolver_look_up(
    lookup_done *done, void *owner, unsigned int slot, const char *address);
/* Accepts none. */
void link_resolver_cancel(struct lookup **);

#endif
