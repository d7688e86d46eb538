/*
 * libunbound on our event loop: where the DNS is asked, and by what rules.
 */
#ifndef RESOLVER_LOOKUP_H
#define RESOLVER_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/dns.h"

struct event_base;

struct lookup_result {
	enum dns_outcome outcome;
	bool secure; /* DNSSEC vouches for it */
	uint32_t ttl;
	struct bytes records; /* lent, as in dns.h */
	const char *reason;   /* lent; "" if there is nothing to say */
};

/* One question that is being asked. Lives in the caller's own struct, until
 * it is done or cancelled. */
struct lookup {
	enum dns_kind kind;
	void (*done)(struct lookup *, const struct lookup_result *);
	int id;
};

/* Reads resolv.conf and /etc/hosts if the configuration names no forwarder.
 * After this nothing is opened but sockets. Exits if it fails. */
void lookup_open(struct event_base *, const struct config *);

/* Asks for a whole name. `done` is called once, perhaps before this returns;
 * never after lookup_cancel(), and not if this fails: -1 with a reason. */
int lookup_start(struct lookup *, const char *name, const char **reason)
    __attribute__((warn_unused_result));
void lookup_cancel(struct lookup *);

#endif
