/*
 * What each outcome of a question to the DNS means for a delivery: the one
 * table of it.
 */
#ifndef REMOTE_DNS_ACTION_H
#define REMOTE_DNS_ACTION_H

#include "common/dns.h"

enum dns_action {
	DNS_ACTION_USE,	     /* the records */
	DNS_ACTION_IMPLICIT, /* the domain itself is its mail host */
	DNS_ACTION_NONE,     /* no address of this kind; there may be others */
	DNS_ACTION_FAIL,     /* never: the recipients fail */
	DNS_ACTION_DEFER,    /* not now */
};

struct dns_verdict {
	enum dns_action action;
	const char *status; /* RFC 3463, with its words; "" for none */
};

/* `kind` is DNS_MX, DNS_A or DNS_AAAA. */
const struct dns_verdict *dns_verdict(enum dns_kind, enum dns_outcome);

#endif
