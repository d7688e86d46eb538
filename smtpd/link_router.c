#include "smtpd/link_router.h"

static int
on_message(void *owner, struct message *m)
{
	struct router_exchange *e = owner;

	if (m->type == MESSAGE_VERDICT)
		return e->handler->verdict(e->owner, &m->verdict);
	if (m->type == MESSAGE_OUTCOME)
		return e->handler->outcome(e->owner, &m->outcome);
	return -1;
}

static void
on_lost(void *owner)
{
	struct router_exchange *e = owner;

	e->handler->lost(e->owner);
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
link_router_open(struct router_exchange *e, unsigned int slot,
    const struct message_open *open)
{
	struct message m = MESSAGE_INIT(MESSAGE_OPEN, 0);

	m.open = *open;
	return link_open(&routers, &e->exchange, slot, e, &m);
}

int
link_router_recipient(
    const struct router_exchange *e, const struct message_recipient *recipient)
{
	struct message m = MESSAGE_INIT(MESSAGE_RECIPIENT, 0);

	m.recipient = *recipient;
	return link_send(&e->exchange, &m);
}

int
link_router_content(const struct router_exchange *e, int fd_take, uint64_t size,
    unsigned int hops)
{
	struct message m = MESSAGE_INIT(MESSAGE_CONTENT, 0);

	m.fd = fd_take;
	m.content.size = size;
	m.content.hops = hops;
	return link_send(&e->exchange, &m);
}

int
link_router_abandon(const struct router_exchange *e, unsigned int reason)
{
	struct message m = MESSAGE_INIT(MESSAGE_ABANDON, 0);

	m.abandon.reason = (uint8_t)reason;
	return link_send(&e->exchange, &m);
}

void
link_router_close(struct router_exchange *e)
{
	link_close(&e->exchange);
}
