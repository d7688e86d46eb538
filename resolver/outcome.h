/*
 * What libunbound says about a question, as the outcome that the house acts
 * on: the one table of it. Only a validated or plain answer is final; every
 * failure to learn the answer is temporary.
 */
#ifndef RESOLVER_OUTCOME_H
#define RESOLVER_OUTCOME_H

#include <stdbool.h>

#include "common/dns.h"

/* `rcode`: of RFC 1035 4.1.1 and RFC 6895 2.3; `records`: is there any of the
 * asked type? */
enum dns_outcome outcome_of(unsigned int rcode, bool bogus, bool records);

#endif
