#include "smtpd/link_router.h"

#include "smtpd/client.h"

static int
on_message(void *owner, struct message *m)
{
	if (m->type == MESSAGE_VERDICT)
		return client_verdict(owner, &m->verdict);
	if (m->type == MESSAGE_OUTCOME)
		return client_outcome(owner, &m->outcome);
	return -1;
}

static void
on_lost(void *owner)
{
	client_router_lost(owner);
}

static struct link_set routers = {
	.peer = PROGRAM_ROUTER,
	.receive = on_message,
	.lost = on_lost,
	.links = LIST_HEAD_INITIALIZER(routers.links),
};

void
link_router_add(struct event_base *base, const struct child_peer *peer)
{
	link_add(&routers, base, peer);
}

int
link_router_open(struct exchange *e, unsigned int slot, struct client *client,
    const struct message_open *open)
{
	struct message m = MESSAGE_INIT(MESSAGE_OPEN, 0);

	m.open = *open;
	return link_open(&routers, e, slot, client, &m);
}

int
link_router_recipient(
    const struct exchange *e, uint32_t number, const char *address)
{
	struct message m = MESSAGE_INIT(MESSAGE_RECIPIENT, 0);

	m.recipient.number = number;
	m.recipient.address = address;
	return link_send(e, &m);
}

int
link_router_content(
    const struct exchange *e, int fd_take, uint64_t size, unsigned int hops)
{
	struct message m = MESSAGE_INIT(MESSAGE_CONTENT, 0);

	m.fd = fd_take;
	m.content.size = size;
	m.content.hops = hops;
	return link_send(e, &m);
}

int
link_router_abandon(const struct exchange *e, unsigned int reason)
{
	struct message m = MESSAGE_INIT(MESSAGE_ABANDON, 0);

	m.abandon.reason = (uint8_t)reason;
	return link_send(e, &m);
}
