/*
 * One expansion while it goes on: what the rules (expand.c) hand down to the
 * mailboxes and their aliases. Each address that an alias names goes through
 * the rules again; the way back up is walk_resolve().
 */
#ifndef ROUTER_WALK_H
#define ROUTER_WALK_H

#include <stdint.h>

#include "common/address.h"
#include "router/expansion.h"
#include "router/rules.h"
#include "router/visits.h"

enum step {
	STEP_ROUTED,
	STEP_REFUSED,  /* for good */
	STEP_DEFERRED, /* ends the whole expansion */
};

/* How an address was come by: from the client, or from an alias. */
struct origin {
	unsigned int depth; /* 0: from the client */
	const char *mailbox, *key;
	const char *place;
	unsigned int line;
	bool verbatim;
	const char *table;	    /* whose key it is; NULL: none */
	const struct origin *above; /* NULL: the client's own */
};

struct walk;

typedef enum step walk_resolver(
    struct walk *, const struct address *, const struct origin *);

struct walk {
	walk_resolver *resolver;
	const struct expander *expander;
	const struct rule_facts *facts;
	const char *original;
	uint64_t id;
	struct expansion *out;
	struct routes strays; /* users that aliases name and that are none */
	struct visits visits;
	bool last_resort; /* postmaster's */
};

/* An address that did not come from the client. */
enum step walk_resolve(
    struct walk *, const struct address *, const struct origin *);

/* Each sets the reply that it ends with. */
enum step walk_defer(struct walk *, const char *reply);
enum step walk_defer_lookup(struct walk *);
/* The administrator's mistake: it waits until it is mended. */
enum step walk_defer_fault(
    struct walk *, const struct origin *, const char *why);

enum step walk_add_route(struct walk *, enum route_kind, const char *name,
    const char *user, const struct address *, const struct origin *);
/* The same for a user that an alias names and that is none. */
int walk_add_stray(struct walk *, const char *mailbox, const char *user,
    const struct address *, const struct origin *)
    __attribute__((warn_unused_result));

#endif
