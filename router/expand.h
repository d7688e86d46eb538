/*
 * One recipient to the list of its routes, or to the reply that refuses it.
 *
 * The rules decide. An accepted address of a mailbox is looked up in that
 * mailbox's aliases, as it is and then without its "+detail"; each address
 * that an alias names goes through the rules again, as if this host itself
 * sent to it: forwarding is the administrator's choice, whatever the client
 * may do. What is no alias must be a user.
 *
 * An alias that is wrong (a loop, a command, two words without a comma)
 * defers the recipient and is logged with its file and line: nothing is lost
 * while it is mended. A name that does not exist among others that do is
 * routed nevertheless, so that the queue keeps and shows what cannot be
 * delivered; if none exists the client is told.
 *
 * A report of the queue goes as what an alias names: whoever sent us mail has a
 * right to hear of it (RFC 5321 6.1), also where no rule has this host send
 * anything else.
 *
 * postmaster at an accepted domain always leads somewhere: to its alias, the
 * user of that name, `admin`, or the alias of root; only if there is none of
 * them is the mail deferred, loudly. "postmaster" alone is that of the first
 * local domain.
 */
#ifndef ROUTER_EXPAND_H
#define ROUTER_EXPAND_H

#include <stdint.h>

#include "common/address.h"
#include "router/expansion.h"
#include "router/rules.h"

/* `id` is for the log. Always fills in the expansion. */
void expand_recipient(const struct expander *, uint64_t id,
    const struct rule_facts *, const struct address *, struct expansion *);

#endif
