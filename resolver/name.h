/*
 * The name that is asked for in the DNS. Always the whole name as it was
 * given: no search list, no default domain.
 */
#ifndef RESOLVER_NAME_H
#define RESOLVER_NAME_H

#include "common/dns.h"

/* in-addr.arpa and ip6.arpa names are longer than what they are made from,
 * but far below this. The last dot says that the name is whole. */
#define NAME_SIZE (LIMIT_DOMAIN + 2)

/* The DNS name of a QUESTION: the reverse name of an address for PTR
 * (RFC 1035 3.5, RFC 3596 2.5), else the domain itself. -1 if `text` is not
 * what this kind asks about. */
int name_make(enum dns_kind, const char *text, char name[NAME_SIZE])
    __attribute__((warn_unused_result));

#endif
