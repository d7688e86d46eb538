/*
 * resolver: answers the house's questions to the DNS. It reads resolv.conf,
 * enters an empty root, and from then on only speaks with DNS servers and
 * with neighbours that ask.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "resolver/link.h"
#include "resolver/lookup.h"

static void
enter_sandbox(const struct config *config)
{
	char root[LIMIT_PATH];
	struct sandbox sandbox = {
		.user = "postern-resolver",
		.root = root,
		.calls = SANDBOX_INET,
		.open_files = LIMIT_RESOLVER_FILES,
	};

	snprintf(root, sizeof(root), "%s/empty", config->run);
	sandbox_enter(&sandbox);
}

static void
on_drain(uint32_t seconds)
{
	(void)seconds; /* a question lives shorter than any drain */
	link_drain();
}

int
main(void)
{
	static const struct child_handler handler = {
		.peer = link_open,
		.drain = on_drain,
	};
	struct child child;
	struct event_base *base;

	child_begin(&child, PROGRAM_RESOLVER);
	base = event_base_new();
	if (base == NULL)
		log_fatal(EX_OSERR, "event loop");
	lookup_open(base, child.config);
	link_init(base);
	enter_sandbox(child.config);
	child_run(&child, base, &handler);
	return event_base_dispatch(base) == -1 ? EX_SOFTWARE : EX_OK;
}
