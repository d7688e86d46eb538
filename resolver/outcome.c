#include "resolver/outcome.h"

#include <stddef.h>

enum {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
};

/* What is not in here (NOTAUTH, BADVERS, ...) is some server's trouble. */
static const struct {
	unsigned int rcode;
	enum dns_outcome with_records, without;
} outcomes[] = {
	{ RCODE_NOERROR, DNS_FOUND, DNS_NO_DATA },
	{ RCODE_FORMERR, DNS_SERVFAIL, DNS_SERVFAIL },
	{ RCODE_SERVFAIL, DNS_SERVFAIL, DNS_SERVFAIL },
	{ RCODE_NXDOMAIN, DNS_NO_NAME, DNS_NO_NAME },
	{ RCODE_NOTIMP, DNS_SERVFAIL, DNS_SERVFAIL },
	{ RCODE_REFUSED, DNS_REFUSED, DNS_REFUSED },
};

enum dns_outcome
outcome_of(unsigned int rcode, bool bogus, bool records)
{
	if (bogus)
		return DNS_BOGUS;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (outcomes[i].rcode == rcode)
			return records ? outcomes[i].with_records
				       : outcomes[i].without;
	return DNS_SERVFAIL;
}
