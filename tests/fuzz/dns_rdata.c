/*
 * The DNS answer reader: a kind of question in the first octet, then a whole
 * DNS message. What is written must be exactly what the askers can read.
 */
#include <stdint.h>
#include <stdlib.h>

#include "resolver/outcome.h"
#include "resolver/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t records[LIMIT_DNS_RECORDS];
	struct wire_writer w = { .data = records, .size = sizeof(records) };
	struct wire_reader r = { .data = records };
	struct packet_answer answer;
	struct dns_record record;
	enum dns_kind kind;
	unsigned int count = 0;
	int got;

	if (size == 0)
		return 0;
	kind = (enum dns_kind)(data[0] % DNS_KINDS);
	if (packet_read(data + 1, size - 1, kind, &w, &answer) == -1)
		return 0;
	if (w.failed || answer.left_out > answer.records || answer.rcode > 15 ||
	    answer.ttl > INT32_MAX)
		abort();
	r.size = w.length;
	while ((got = dns_record_get(&r, kind, &record)) == 1)
		count++;
	if (got == -1 || count != answer.records - answer.left_out)
		abort();
	if (outcome_of(answer.rcode, false, answer.records > 0) >= DNS_OUTCOMES)
		abort();
	return 0;
}
