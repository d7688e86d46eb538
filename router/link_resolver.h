/*
 * The link to the resolver. No rule asks the DNS yet, so nothing may come
 * from it either: whatever does closes the link.
 */
#ifndef ROUTER_LINK_RESOLVER_H
#define ROUTER_LINK_RESOLVER_H

#include "common/child.h"

struct event_base;

/* Takes the descriptor. A new resolver replaces the old one. */
void link_resolver_add(struct event_base *, const struct child_peer *);
void link_resolver_close(void);

#endif
