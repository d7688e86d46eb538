#include "smtpd/link_resolver.h"

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/dns.h"

struct lookup {
	lookup_done *done;
	void *owner;
	struct exchange exchange;
	unsigned int slot;
	enum dns_kind kind; /* of the question that is open */
	uint8_t address[16];
	bool six;
	char name[LIMIT_DOMAIN + 1];
};

static int on_message(void *, struct message *);
static void on_lost(void *);

static struct link_set resolvers = {
	.peer = PROGRAM_RESOLVER,
	.receive = on_message,
	.lost = on_lost,
	.links = LIST_HEAD_INITIALIZER(resolvers.links),
};

void
link_resolver_add(struct event_base *base, const struct child_peer *peer)
{
	link_add(&resolvers, base, peer);
}

static int
ask(struct lookup *l, enum dns_kind kind, const char *name)
{
	struct message m = MESSAGE_INIT(MESSAGE_QUESTION, 0);

	l->kind = kind;
	m.question.kind = (uint8_t)kind;
	m.question.name = name;
	return link_open(&resolvers, &l->exchange, l->slot, l, &m);
}

struct lookup *
link_resolver_look_up(
    lookup_done *done, void *owner, unsigned int slot, const char *address)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->done = done;
	l->owner = owner;
	l->slot = slot;
	l->six = strchr(address, ':') != NULL;
	if (inet_pton(l->six ? AF_INET6 : AF_INET, address, l->address) != 1 ||
	    ask(l, DNS_PTR, address) == -1) {
		free(l);
		return NULL;
	}
	return l;
}

void
link_resolver_cancel(struct lookup **pointer)
{
	struct lookup *l = *pointer;

	*pointer = NULL;
	if (l == NULL)
		return;
	link_close(&l->exchange);
	free(l);
}

static void
finish(struct lookup *l, bool confirmed)
{
	link_close(&l->exchange);
	l->done(l->owner, confirmed ? l->name : NULL);
	free(l);
}

/* Of several names the first is taken. */
static int
take_pointer(struct lookup *l, struct wire_reader *records)
{
	struct dns_record record;
	int got = dns_record_get(records, DNS_PTR, &record);

	if (got == 1) {
		memcpy(l->name, record.name, sizeof(l->name));
		link_close(&l->exchange);
		if (ask(l, l->six ? DNS_AAAA : DNS_A, l->name) == -1)
			finish(l, false);
	} else
		finish(l, false);
	return got == -1 ? -1 : 0;
}

static int
take_addresses(struct lookup *l, struct wire_reader *records)
{
	size_t length = l->six ? 16 : 4;
	struct dns_record record;
	bool confirmed = false;
	int got;

	while ((got = dns_record_get(records, l->kind, &record)) == 1)
		if (memcmp(record.address, l->address, length) == 0)
			confirmed = true;
	finish(l, got == 0 && confirmed);
	return got;
}

static int
on_message(void *owner, struct message *m)
{
	struct lookup *l = owner;
	struct wire_reader records = { 0 };

	if (m->type != MESSAGE_ANSWER || m->answer.kind != l->kind)
		return -1;
	if (m->answer.outcome != DNS_FOUND) {
		finish(l, false);
		return 0;
	}
	records.data = m->answer.records.data;
	records.size = m->answer.records.length;
	return l->kind == DNS_PTR ? take_pointer(l, &records)
				  : take_addresses(l, &records);
}

static void
on_lost(void *owner)
{
	finish(owner, false);
}
