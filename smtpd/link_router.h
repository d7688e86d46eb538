/*
 * What smtpd says to the router, and hears from it, about a transaction.
 * The router is not trusted to be right: its answers reach the session, which
 * says whether they may come now.
 */
#ifndef SMTPD_LINK_ROUTER_H
#define SMTPD_LINK_ROUTER_H

#include "smtpd/link.h"

struct link_router_handler {
	/* -1 if the router may not say that now: its link is closed. */
	int (*verdict)(void *owner, const struct message_verdict *);
	int (*outcome)(void *owner, const struct message_outcome *);
	/* The link is gone. The exchange is to be closed. */
	void (*lost)(void *owner);
};

/* One transaction at a router; stays where it is while it is open. The owner
 * sets the handler and itself. */
struct router_exchange {
	struct exchange exchange;
	const struct link_router_handler *handler;
	void *owner;
};

void link_router_add(struct event_base *, const struct child_peer *);

/* -1 if no router can take it now. */
int link_router_open(struct router_exchange *, unsigned int slot,
    const struct message_open *) __attribute__((warn_unused_result));
/* These fail only if the link is broken; `lost` follows. */
int link_router_recipient(
    const struct router_exchange *, const struct message_recipient *);
int link_router_content(const struct router_exchange *, int fd_take,
    uint64_t size, unsigned int hops);
int link_router_abandon(const struct router_exchange *, unsigned int reason);
/* No more is heard of it. Accepts one that is not open. */
void link_router_close(struct router_exchange *);

#endif
