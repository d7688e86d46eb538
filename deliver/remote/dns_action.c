#include "deliver/remote/dns_action.h"

#include <assert.h>

/* Only a validated or plain "no" is final. */
static const struct dns_verdict mx[DNS_OUTCOMES] = {
	[DNS_FOUND] = { DNS_ACTION_USE, "" },
	[DNS_NO_DATA] = { DNS_ACTION_IMPLICIT, "" },
	[DNS_NO_NAME] = { DNS_ACTION_FAIL, "5.1.2 no such domain" },
	[DNS_SERVFAIL] = { DNS_ACTION_DEFER, "4.4.3 DNS server failure" },
	[DNS_REFUSED] = { DNS_ACTION_DEFER, "4.4.3 DNS query refused" },
	[DNS_TIMEOUT] = { DNS_ACTION_DEFER, "4.4.3 DNS query timed out" },
	[DNS_BOGUS] = { DNS_ACTION_DEFER, "4.7.5 DNS answer fails DNSSEC" },
};

static const struct dns_verdict address[DNS_OUTCOMES] = {
	[DNS_FOUND] = { DNS_ACTION_USE, "" },
	[DNS_NO_DATA] = { DNS_ACTION_NONE, "" },
	[DNS_NO_NAME] = { DNS_ACTION_NONE, "" },
	[DNS_SERVFAIL] = { DNS_ACTION_DEFER, "4.4.3 DNS server failure" },
	[DNS_REFUSED] = { DNS_ACTION_DEFER, "4.4.3 DNS query refused" },
	[DNS_TIMEOUT] = { DNS_ACTION_DEFER, "4.4.3 DNS query timed out" },
	[DNS_BOGUS] = { DNS_ACTION_DEFER, "4.7.5 DNS answer fails DNSSEC" },
};

const struct dns_verdict *
dns_verdict(enum dns_kind kind, enum dns_outcome outcome)
{
	assert(kind != DNS_PTR && outcome < DNS_OUTCOMES);
	return kind == DNS_MX ? &mx[outcome] : &address[outcome];
}
