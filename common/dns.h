/*
 * Questions to the resolver and what comes back: the kinds, the outcomes and
 * the codec of the records in an ANSWER.
 */
#ifndef COMMON_DNS_H
#define COMMON_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/wire.h"

enum dns_kind { DNS_MX, DNS_A, DNS_AAAA, DNS_PTR, DNS_KINDS };

/* Only the first three are final; the others mean "ask again later". */
enum dns_outcome {
	DNS_FOUND,
	DNS_NO_DATA,
	DNS_NO_NAME,
	DNS_SERVFAIL,
	DNS_REFUSED,
	DNS_TIMEOUT,
	DNS_BOGUS, /* DNSSEC says that it is forged */
	DNS_OUTCOMES
};

/* MX: preference and name, "" for the null MX (RFC 7505). PTR: name.
 * A and AAAA: the first 4 or 16 octets of address, network order. */
struct dns_record {
	uint16_t preference;
	char name[LIMIT_DOMAIN + 1];
	uint8_t address[16];
};

/* Appends a record. What does not fit is left out: false. */
bool dns_record_put(
    struct wire_writer *, enum dns_kind, const struct dns_record *);
/* Takes the next record: 1, 0 at the end, -1 if it is not one. Names are
 * checked to be valid domain names. */
int dns_record_get(struct wire_reader *, enum dns_kind, struct dns_record *)
    __attribute__((warn_unused_result));

bool dns_outcome_is_final(enum dns_outcome);
const char *dns_outcome_name(unsigned int);
const char *dns_kind_name(unsigned int);

#endif
