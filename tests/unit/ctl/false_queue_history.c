/*
 * The history of the queue that is made up.
 */
#include <string.h>

#include "tests/unit/ctl/false_queue_private.h"

int
query_events(uint64_t id, uint32_t *place, unsigned int most,
    bool (*each)(uint64_t, const struct row_event *, void *), void *context)
{
	static const struct row_event life[] = {
		{ .time = NOW - 60,
		    .what = EVENT_ACCEPTED,
		    .address = "bob@other.test",
		    .original = "robert@here.test",
		    .destination = "mx:other.test",
		    .host = "client.test",
		    .peer = "192.0.2.9",
		    .tls_version = "TLSv1.3",
		    .tls_cipher = "TLS_AES_256_GCM_SHA384",
		    .helo = "client",
		    .user = "sue",
		    .protocol = SMTP_PROTOCOL_ESMTPSA + 1,
		    .size = 1234,
		    .config = "/etc/postern/postern.conf",
		    .rule = 31,
		    .via = "robert\tpeople\taliases\t/etc/aliases\t7\n"
			   "bob\tpeople\taliases\t/etc/aliases\t9",
		    .route = ROUTE_MX + 1 },
		{ .time = NOW - 50,
		    .what = EVENT_DEFERRED,
		    .address = "bob@other.test",
		    .host = "mx.other.test",
		    .peer = "2001:db8::1",
		    .port = 25,
		    .took = 1500,
		    .attempt = 2,
		    .next_try = NOW + 300,
		    .dropped = 3,
		    .detail = "450-4.2.0 later\a\r\n450 4.2.0 on another day, "
			      "when this line will be no shorter than now" },
		{ .time = NOW - 40,
		    .what = EVENT_REMOVED,
		    .address = "bob@other.test",
		    .by = UINT64_C(4294967294) + 1 },
		{ .time = NOW - 30,
		    .what = EVENT_BOUNCED,
		    .address = "bob@other.test",
		    .report = ID(0) },
		/* As schema 1 had it. */
		{ .time = NOW - 20,
		    .what = EVENT_DEFERRED,
		    .address = "bob@other.test",
		    .host = "mx.other.test[192.0.2.1]:25",
		    .detail = "450 later" },
	};
	const uint32_t events = id == ID(0) ? 5 : 2;

	if (id == ID(9))
		return 0;
	for (; *place < events && most > 0; (*place)++, most--)
		if (!each(id, &life[*place], context))
			return 1;
	return *place < events;
}

/* bob has 1,234 messages. */
int
query_ids(
    const char *address, uint64_t before, uint64_t *ids, unsigned int most)
{
	unsigned int count = 0;

	if (strcmp(address, "bob@other.test") != 0)
		return 0;
	if (before > ID(100) + 1234)
		before = ID(100) + 1234;
	while (count < most && --before >= ID(100))
		ids[count++] = before;
	return (int)count;
}
