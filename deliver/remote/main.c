/*
 * deliver/remote: delivers messages to other hosts by SMTP. It is given each
 * message by the queue, asks the resolver for the way, and speaks with
 * strangers; it can touch nothing but sockets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "deliver/remote/connection.h"
#include "deliver/remote/delivery.h"
#include "deliver/remote/link_queue.h"
#include "deliver/remote/link_resolver.h"
#include "deliver/remote/priority.h"
#include "deliver/remote/self.h"

static void
enter_sandbox(const struct config *config)
{
	char root[LIMIT_PATH];
	struct sandbox sandbox = {
		.user = "postern-remote",
		.root = root,
		.calls = SANDBOX_INET,
		.open_files = LIMIT_REMOTE_FILES,
	};

	snprintf(root, sizeof(root), "%s/empty", config->run);
	sandbox_enter(&sandbox);
}

static void
on_peer(const struct child_peer *peer)
{
	if (peer->program == PROGRAM_QUEUE)
		link_queue_open(peer);
	else if (peer->program == PROGRAM_RESOLVER)
		link_resolver_open(peer);
	else {
		log_warn("link-refused peer=%s", program_name(peer->program));
		close(peer->fd);
	}
}

int
main(void)
{
	static const struct child_handler handler = {
		.peer = on_peer,
		.drain = link_queue_drain,
	};
	struct child child;
	struct event_base *base;

	child_begin(&child, PROGRAM_REMOTE);
	base = priority_base_new();
	if (base == NULL)
		log_fatal(EX_OSERR, "event loop");
	self_init(child.config);
	delivery_init(child.config);
	link_queue_init(base);
	link_resolver_init(base);
	connection_init(base, self_hostname(), delivery_wake);
	enter_sandbox(child.config);
	child_run(&child, base, &handler);
	return event_base_dispatch(base) == -1 ? EX_SOFTWARE : EX_OK;
}
