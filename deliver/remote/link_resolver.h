/*
 * The link to the resolver. A question outlives the link: it is asked again
 * of the resolver that takes the old one's place, until it is answered or has
 * waited too long.
 */
#ifndef REMOTE_LINK_RESOLVER_H
#define REMOTE_LINK_RESOLVER_H

#include "common/child.h"
#include "common/dns.h"

struct event_base;
struct question;

/* `reason` is lent, and so are `records`; both end with the call. */
typedef void (*question_answered)(void *context, enum dns_kind,
    enum dns_outcome, struct bytes records, const char *reason);

/* Starts the watchdog of the questions. Exits if it fails. */
void link_resolver_init(struct event_base *);
/* Takes the peer's descriptor. The newest link is the one that is asked. */
void link_resolver_open(const struct child_peer *);

/* Answered once, later, from the event loop; the question is gone then. The
 * name is a valid domain. NULL with errno. */
struct question *link_resolver_ask(enum dns_kind, const char *name,
    question_answered, void *context) __attribute__((warn_unused_result));
/* Not answered any more; accepts none. */
void link_resolver_cancel(struct question **);

#endif
