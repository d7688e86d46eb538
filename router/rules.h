/*
 * Which rule of the configuration decides: the first one, from the top, all
 * of whose conditions hold. Pure but for the tables that a rule names.
 */
#ifndef ROUTER_RULES_H
#define ROUTER_RULES_H

#include <stdbool.h>

#include "common/address.h"
#include "common/config.h"
#include "router/table.h"

struct rule_facts {
	bool local;		       /* this host itself */
	bool forwarded;		       /* by an alias: see from_holds() */
	bool authenticated;	       /* a user, by password */
	bool report;		       /* by our queue: see expand.h */
	const struct sockaddr *client; /* NULL: it has no address */
	const struct address *sender;  /* text "" for the null sender */
};

enum rules_result {
	RULES_MATCHED,
	RULES_NONE,  /* refuse */
	RULES_ERROR, /* a table cannot be asked now: defer */
};

enum rules_result rules_match(const struct config *, const struct tables *,
    const struct rule_facts *, const struct address *recipient,
    const struct rule_config **) __attribute__((warn_unused_result));

#endif
