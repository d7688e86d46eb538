/*
 * Fills a store as an outage leaves it: everything was tried once or more and
 * deferred; two fifths are due now, the rest within the coming hours.
 *
 *	backlog DIRECTORY MESSAGES SIZE [later]
 *
 * One in five messages is for big.test, one in a hundred for dead.test, one in
 * a thousand for slow.test, and the others for a tenth as many domains as there
 * are messages, dN.many.test. `later`: nothing is due now. The rows are written
 * by the queue's own code.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/content.h"
#include "common/id.h"
#include "common/mail.h"
#include "queue/destination.h"
#include "queue/lifecycle.h"
#include "queue/store.h"
#include "queue/store_content.h"
#include "queue/store_event.h"

#define MAP_SIZE (UINT64_C(64) << 30)
#define BATCH 10000
/* They came in so many seconds, until the outage ended. */
#define OUTAGE (UINT64_C(6) * 3600)
/* Below the longest delay of the configuration. */
#define SPREAD (UINT64_C(3) * 3600)
#define REPLY "451 4.4.1 The network is down, please come back later"

static struct {
	struct destinations destinations;
	struct lifecycle lifecycle;
	uint64_t count;
	uint64_t size;
	int content;
	uint64_t now;
	bool later;
} state;

/* Always the same numbers: one run is like another. */
static uint64_t
number_below(uint64_t bound)
{
	static uint64_t x = 88172645463325252U; /* xorshift */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % bound;
}

static int
content_of(uint64_t size)
{
	static const char head[] = "Subject: one of many\r\n\r\n";
	static const char line[] = "A line of a message that has to wait.\r\n";
	int fd = content_create();
	char *octets = malloc(size + sizeof(head) + sizeof(line));
	size_t length = sizeof(head) - 1;

	if (fd == -1 || octets == NULL)
		err(1, "content");
	memcpy(octets, head, length);
	for (; length < size; length += sizeof(line) - 1)
		memcpy(octets + length, line, sizeof(line));
	if (content_write(fd, octets, size) == -1 || content_seal(fd) == -1)
		err(1, "content");
	free(octets);
	return fd;
}

static void
domain_of(uint64_t number, char *domain, size_t size)
{
	if (number % 5 == 0)
		snprintf(domain, size, "big.test");
	else if (number % 100 == 1)
		snprintf(domain, size, "dead.test");
	else if (number % 1000 == 2)
		snprintf(domain, size, "slow.test");
	else
		snprintf(domain, size, "d%" PRIu64 ".many.test",
		    number_below(state.count / 10));
}

static void
add_event(uint64_t id, uint32_t number, enum event_kind what,
    const struct row_recipient *r, uint64_t time)
{
	bool accepted = what == EVENT_ACCEPTED;
	struct row_event event = {
		.time = time,
		.what = (uint8_t)what,
		.address = r->address,
		.sender = accepted ? "sender@src.test" : "",
		.original = accepted ? r->original : "",
		.destination = r->destination,
		.host = accepted ? "192.0.2.40" : r->host,
		.detail = accepted ? "" : r->reply,
	};

	if (store_event_restore(state.lifecycle.store, id, number, &event) ==
	    -1)
		err(1, "event");
}

static void
add_recipient(uint64_t id, uint64_t number, uint64_t arrival)
{
	char domain[64], address[96], destination[96];
	bool now = number_below(5) < 2 && !state.later;
	struct row_recipient r = {
		.address = address,
		.original = address,
		.kind = ROUTE_MX,
		.name = "",
		.user = "",
		.destination = destination,
		.state = RECIPIENT_WAITING,
		.attempts = 1 + (uint32_t)number_below(4),
		.host = "192.0.2.99",
		.reply = REPLY,
		.orcpt = "",
	};

	r.due = now ? state.now - number_below(600) - 1
		    : state.now + 60 + number_below(SPREAD);
	domain_of(number, domain, sizeof(domain));
	snprintf(
	    address, sizeof(address), "user%" PRIu64 "@%s", number, domain);
	snprintf(destination, sizeof(destination), "mx:%s", domain);
	if (lifecycle_restore_recipient(&state.lifecycle, id, 0, &r) == -1)
		err(1, "recipient");
	add_event(id, 0, EVENT_ACCEPTED, &r, arrival);
	add_event(id, 1, EVENT_DEFERRED, &r, arrival + 30);
}

static void
add_message(uint64_t number)
{
	struct lifecycle *l = &state.lifecycle;
	uint64_t arrival = (state.now - OUTAGE - 60) * 1000 +
			   number * OUTAGE * 1000 / state.count;
	uint64_t id = arrival << 20 | (number & 0xfffff);
	struct row_message m = {
		.arrival = arrival,
		.size = state.size,
		.sender = "sender@src.test",
		.client_address = "192.0.2.40",
		.helo = "client.test",
		.user = "",
		.protocol = SMTP_PROTOCOL_ESMTP,
		.recipients = 1,
		.open = 1,
		.envid = "",
	};

	if (store_content_put(
		l->store, id, state.content, state.size, &m.digest) == -1 ||
	    lifecycle_restore_message(l, id, &m) == -1)
		err(1, "message");
	add_recipient(id, number, arrival / 1000);
}

static void
add_batch(uint64_t from, uint64_t to)
{
	struct lifecycle *l = &state.lifecycle;
	struct row_totals before = l->totals;

	if (store_write_begin(l->store) == -1)
		err(1, "store");
	for (uint64_t i = from; i < to; i++)
		add_message(i);
	if (destinations_flush(l->destinations, l->store, state.now) == -1 ||
	    lifecycle_write_totals(l, &before) == -1 ||
	    store_write_commit(l->store) == -1)
		err(1, "store");
	destinations_end(&state.destinations);
	destinations_begin(&state.destinations);
}

static void
open_store(const char *directory)
{
	struct lifecycle *l = &state.lifecycle;

	l->store = store_open(directory, MAP_SIZE);
	if (l->store == NULL)
		err(1, "%s", directory);
	l->destinations = &state.destinations;
	destinations_begin(l->destinations);
	if (store_read_begin(l->store) == -1 || lifecycle_begin(l) == -1)
		err(1, "%s", directory);
	store_read_end(l->store);
}

int
main(int argc, char **argv)
{
	if (argc != 4 && (argc != 5 || strcmp(argv[4], "later") != 0))
		errx(1, "usage: backlog DIRECTORY MESSAGES SIZE [later]");
	state.later = argc == 5;
	state.count = strtoull(argv[2], NULL, 10);
	state.size = strtoull(argv[3], NULL, 10);
	state.now = (uint64_t)time(NULL);
	if (state.count < 1000 || state.size < 100)
		errx(1, "at least 1000 messages of 100 octets");
	state.content = content_of(state.size);
	open_store(argv[1]);
	for (uint64_t i = 0; i < state.count; i += BATCH)
		add_batch(i, i + BATCH < state.count ? i + BATCH : state.count);
	store_close(&state.lifecycle.store);
	return 0;
}
