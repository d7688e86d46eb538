/*
 * The reader of the records in a resolver's answer. The first octet chooses
 * the kind. What reads is valid and writes back to the same octets.
 */
#include "common/dns.h"

#include "common/address.h"
#include "tests/fuzz/fuzz.h"

static void
check_record(enum dns_kind kind, const struct dns_record *record)
{
	CHECK(strlen(record->name) <= LIMIT_DOMAIN);
	if (kind == DNS_PTR || (kind == DNS_MX && record->name[0] != '\0'))
		CHECK(domain_is_valid(record->name));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t back[LIMIT_DNS_RECORDS];
	struct wire_writer w = { .data = back, .size = sizeof(back) };
	struct wire_reader r;
	struct dns_record record;
	enum dns_kind kind;
	int got;

	if (size < 1 || size - 1 > sizeof(back))
		return 0;
	kind = (enum dns_kind)(data[0] % (DNS_KINDS + 1));
	r = (struct wire_reader){ .data = data + 1, .size = size - 1 };
	while ((got = dns_record_get(&r, kind, &record)) == 1) {
		check_record(kind, &record);
		CHECK(dns_record_put(&w, kind, &record));
	}
	if (got == 0) {
		CHECK(wire_done(&r));
		CHECK(w.length == size - 1);
		CHECK(memcmp(back, data + 1, size - 1) == 0);
	} else
		CHECK(dns_record_get(&r, kind, &record) == -1);
	return 0;
}
