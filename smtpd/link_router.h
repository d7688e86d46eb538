/*
 * What smtpd says to the router, and hears from it, about a transaction.
 * The router is not trusted to be right: its answers reach the session, which
 * says whether they may come now.
 */
#ifndef SMTPD_LINK_ROUTER_H
#define SMTPD_LINK_ROUTER_H

#include "smtpd/link.h"

struct client;

void link_router_add(struct event_base *, const struct child_peer *);

/* -1 if no router can take it now. */
int link_router_open(struct exchange *, unsigned int slot, struct client *,
    const struct message_open *) __attribute__((warn_unused_result));
/* These fail only if the link is broken; client_router_lost() follows. */
int link_router_recipient(
    const struct exchange *, uint32_t number, const char *address);
int link_router_content(
    const struct exchange *, int fd_take, uint64_t size, unsigned int hops);
int link_router_abandon(const struct exchange *, unsigned int reason);

#endif
