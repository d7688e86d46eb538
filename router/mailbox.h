/*
 * An address of a mailbox to its routes: aliases, users, postmaster.
 */
#ifndef ROUTER_MAILBOX_H
#define ROUTER_MAILBOX_H

#include "router/walk.h"

/* `name` is the mailbox's. */
enum step mailbox_resolve(struct walk *, const char *name,
    const struct address *, const struct origin *);

/* What is left for a postmaster who has neither alias nor user. `mailbox` is
 * NULL on a host that has none. */
enum step mailbox_resolve_postmaster(
    struct walk *, const struct mailbox_config *, const struct address *);

#endif
