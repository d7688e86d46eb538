#include "router/link_resolver.h"

#include <event2/event.h>

#include "common/channel.h"
#include "common/log.h"

static struct channel *resolver;

static int
on_receive(struct channel *channel, struct message *m, void *context)
{
	(void)channel;
	(void)m;
	(void)context;
	return -1;
}

static void
on_closed(struct channel *channel, void *context)
{
	(void)context;
	if (channel == resolver)
		resolver = NULL;
}

void
link_resolver_add(struct event_base *base, const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_receive,
		.closed = on_closed,
	};

	link_resolver_close();
	resolver = channel_new(
	    base, peer->fd, PROGRAM_ROUTER, PROGRAM_RESOLVER, &handler, NULL);
	if (resolver == NULL)
		log_error(
		    "link-refused peer=resolver instance=%u", peer->instance);
}

void
link_resolver_close(void)
{
	channel_free(&resolver);
}
