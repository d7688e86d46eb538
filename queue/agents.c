#include "queue/agents.h"

#include "queue/destination.h"
#include "queue/remotes.h"
#include "queue/workers.h"

static enum agent_state
ready(struct destination *d, struct lifecycle_report *refusal)
{
	return d->kind == ROUTE_MAILBOX ? workers_ready(d, refusal)
					: remotes_ready(d);
}

static int
deliver(const struct delivery *delivery)
{
	return delivery->destination->kind == ROUTE_MAILBOX
		   ? workers_deliver(delivery)
		   : remotes_deliver(delivery);
}

const struct delivery_agents agents = {
	.ready = ready,
	.deliver = deliver,
};
