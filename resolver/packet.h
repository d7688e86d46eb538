/*
 * The DNS answer reader: a whole DNS message (RFC 1035 4.1) as libunbound
 * hands it over, read into the records of an ANSWER. Pure; believes nothing.
 *
 * libunbound has followed the CNAMEs and removed what was not asked for, so
 * every record of the asked type in the answer section is part of the answer.
 */
#ifndef RESOLVER_PACKET_H
#define RESOLVER_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "common/dns.h"

struct packet_answer {
	unsigned int rcode;    /* RFC 1035 4.1.1 */
	uint32_t ttl;	       /* the least of the records of the answer */
	unsigned int records;  /* of the asked type, also those left out */
	unsigned int left_out; /* no host's name in it, or no room */
};

/* The type's number on the wire, RFC 1035 3.2.2. */
unsigned int packet_type(enum dns_kind);

/* Writes each record of the kind with dns_record_put(). -1 if the octets are
 * no DNS message; what was written until then must be ignored. */
int packet_read(const uint8_t *, size_t, enum dns_kind, struct wire_writer *,
    struct packet_answer *) __attribute__((warn_unused_result));

#endif
