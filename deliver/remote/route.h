/*
 * The way to a destination: from the name of a relay or a domain to one
 * address after the other, best first, each at most once.
 *
 * The hosts of one MX preference are looked up together, and only when all
 * better ones have failed. Ourselves among them ends the list there. What can
 * be no other host (loopback, link-local, a group) is left out, unless it is a
 * relay of the configuration. An address that lately did not answer comes after
 * all others.
 */
#ifndef REMOTE_ROUTE_H
#define REMOTE_ROUTE_H

#include "common/mail.h"
#include "deliver/remote/endpoint.h"

struct route;

enum route_step {
	ROUTE_ADDRESS, /* try this */
	ROUTE_WAIT,    /* `ready` will be called when there is more to know */
	ROUTE_END,     /* no more; route_verdict() says why */
};

/* What to tell the queue if no address took the mail. */
struct route_verdict {
	enum report_outcome outcome;
	enum report_scope scope;
	const char *reason; /* lent; "" if no look-up went wrong */
};

/* To a host, or to the text of an address: no MX look-up. NULL with errno. */
struct route *route_to_host(const char *host, uint16_t port,
    void (*ready)(void *), void *context) __attribute__((warn_unused_result));
/* To the MX hosts of a domain, or to an address literal. */
struct route *route_to_domain(const char *domain, void (*ready)(void *),
    void *context) __attribute__((warn_unused_result));
void route_free(struct route **);

/* The name of the host is lent. */
enum route_step route_next(
    struct route *, struct endpoint *, const char **host);
/* The host that was given last turned out to be ourselves. */
void route_cut(struct route *);
const struct route_verdict *route_verdict(const struct route *);

#endif
