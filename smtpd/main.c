/*
 * smtpd: what strangers reach. It turns SMTP into transactions for the router
 * and content into sealed memory, and can touch nothing else: no file system,
 * no secret, no socket but those that it was given and those that it accepts.
 */
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "smtpd/clients.h"
#include "smtpd/link_resolver.h"
#include "smtpd/link_router.h"
#include "smtpd/listeners.h"

static struct event_base *base;
static struct event *time_over;

static void
on_peer(const struct child_peer *peer)
{
	if (peer->program == PROGRAM_ROUTER)
		link_router_add(base, peer);
	else if (peer->program == PROGRAM_RESOLVER)
		link_resolver_add(base, peer);
	else {
		log_warn(
		    "peer-unwanted program=%s", program_name(peer->program));
		close(peer->fd);
	}
}

static void
stop(void)
{
	event_base_loopbreak(base);
}

static void
on_time_over(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	clients_end();
	stop();
}

static void
on_drain(uint32_t seconds)
{
	struct timeval most = { (time_t)seconds, 0 };

	listeners_stop();
	clients_drain();
	if (clients_count() == 0)
		stop();
	else
		event_add(time_over, &most);
}

static void
enter_sandbox(const struct config *config)
{
	char root[LIMIT_PATH];
	struct sandbox sandbox = {
		.user = "postern-smtpd",
		.root = root,
		.calls = SANDBOX_ACCEPT | SANDBOX_MEMFD,
		.open_files = 65536,
	};

	if ((size_t)snprintf(root, sizeof(root), "%s/empty", config->run) >=
	    sizeof(root))
		log_fatal(EX_CONFIG, "the path of the run directory is long");
	sandbox_enter(&sandbox);
}

int
main(void)
{
	static const struct child_handler handler = {
		.peer = on_peer,
		.drain = on_drain,
		.listening = listeners_listen,
	};
	static const struct clients_handler clients = {
		.room = listeners_resume,
		.empty = stop,
	};
	static struct child child;

	child_begin(&child, PROGRAM_SMTPD);
	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	if (base == NULL)
		log_fatal(EX_OSERR, "event loop");
	enter_sandbox(child.config);
	time_over = event_new(base, -1, 0, on_time_over, NULL);
	if (time_over == NULL ||
	    clients_start(base, child.config, &clients) == -1 ||
	    listeners_start(base, &child) == -1)
		log_fatal(EX_OSERR, "start");
	child_run(&child, base, &handler);
	event_base_dispatch(base);
	return 0;
}
