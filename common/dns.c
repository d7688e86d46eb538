#include "common/dns.h"

#include <string.h>

#include "common/address.h"

bool
dns_record_put(
    struct wire_writer *w, enum dns_kind kind, const struct dns_record *record)
{
	struct wire_writer before = *w;

	switch (kind) {
	case DNS_MX:
		wire_put_u16(w, record->preference);
		wire_put_text(w, record->name, LIMIT_DOMAIN);
		break;
	case DNS_PTR:
		wire_put_text(w, record->name, LIMIT_DOMAIN);
		break;
	case DNS_A:
		wire_put_bytes(w, (struct bytes){ record->address, 4 }, 4);
		break;
	case DNS_AAAA:
		wire_put_bytes(w, (struct bytes){ record->address, 16 }, 16);
		break;
	case DNS_KINDS:
		return false;
	}
	if (!w->failed)
		return true;
	*w = before;
	return false;
}

static void
get_name(struct wire_reader *r, struct dns_record *record, bool may_be_empty)
{
	const char *name = wire_get_text(r, LIMIT_DOMAIN);

	if (r->failed ||
	    (!domain_is_valid(name) && !(may_be_empty && *name == '\0'))) {
		r->failed = true;
		return;
	}
	memcpy(record->name, name, strlen(name) + 1);
}

static void
get_address(struct wire_reader *r, struct dns_record *record, size_t length)
{
	struct bytes bytes = wire_get_bytes(r, length);

	if (r->failed || bytes.length != length) {
		r->failed = true;
		return;
	}
	memcpy(record->address, bytes.data, length);
}

int
dns_record_get(
    struct wire_reader *r, enum dns_kind kind, struct dns_record *record)
{
	memset(record, 0, sizeof(*record));
	if (wire_done(r))
		return 0;
	switch (kind) {
	case DNS_MX:
		record->preference = wire_get_u16(r);
		get_name(r, record, true);
		break;
	case DNS_PTR:
		get_name(r, record, false);
		break;
	case DNS_A:
		get_address(r, record, 4);
		break;
	case DNS_AAAA:
		get_address(r, record, 16);
		break;
	case DNS_KINDS:
		return -1;
	}
	return r->failed ? -1 : 1;
}

bool
dns_outcome_is_final(enum dns_outcome outcome)
{
	return outcome == DNS_FOUND || outcome == DNS_NO_DATA ||
	       outcome == DNS_NO_NAME;
}

const char *
dns_outcome_name(unsigned int outcome)
{
	static const char *const names[DNS_OUTCOMES] = {
		[DNS_FOUND] = "found",
		[DNS_NO_DATA] = "no-data",
		[DNS_NO_NAME] = "no-name",
		[DNS_SERVFAIL] = "servfail",
		[DNS_REFUSED] = "refused",
		[DNS_TIMEOUT] = "timeout",
		[DNS_BOGUS] = "bogus",
	};

	return outcome < DNS_OUTCOMES ? names[outcome] : "unknown";
}

const char *
dns_kind_name(unsigned int kind)
{
	static const char *const names[DNS_KINDS] = {
		[DNS_MX] = "MX",
		[DNS_A] = "A",
		[DNS_AAAA] = "AAAA",
		[DNS_PTR] = "PTR",
	};

	return kind < DNS_KINDS ? names[kind] : "unknown";
}
