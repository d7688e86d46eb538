/*
 * deliver/spawn: starts the workers of deliver/local as the users whose mail
 * they deliver. It is root, and that is all that it does: it holds only the
 * capabilities to change its children's uid and to kill them, executes
 * nothing, and never sees a message.
 */
#include <linux/capability.h>

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/unistd.h>
#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "deliver/spawn/account.h"
#include "deliver/spawn/cage.h"
#include "deliver/spawn/link_queue.h"
#include "deliver/spawn/workers.h"

#define CAPABILITY(c) (UINT64_C(1) << (c))

static struct event_base *base;
static struct event *deadline;
static bool draining;

static void
stop_if_done(void)
{
	if (draining && workers_count() == 0)
		event_base_loopbreak(base);
}

/* What they have not reported will be delivered again. */
static void
on_deadline(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	workers_kill_all();
	event_base_loopbreak(base);
}

/* The queue lets its workers go; until then they can still be killed. */
static void
drain(uint32_t seconds)
{
	const struct timeval after = { .tv_sec = seconds };

	draining = true;
	link_queue_drain();
	event_add(deadline, &after);
	stop_if_done();
}

static void
enter_cage(const struct config *config)
{
	/* The workers' narrower cages are built inside this one, so it allows
	 * what they need. */
	struct sandbox cage = {
		.paths = cage_paths(config),
		.calls = SANDBOX_FORK | SANDBOX_SETUID | SANDBOX_FILES_READ |
			 SANDBOX_FILES_WRITE | SANDBOX_CONFINE,
		.capabilities = CAPABILITY(CAP_SETUID) |
				CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_KILL),
		.open_files = UINT64_C(4) * WORKERS_MOST,
	};

	if (cage.paths == NULL || chdir("/") == -1)
		log_fatal(EX_OSERR, "/");
	account_preload();
	sandbox_enter(&cage);
}

int
main(int argc, char **argv, char **envp)
{
	static const struct child_handler handler = {
		.peer = link_queue_open,
		.drain = drain,
	};
	static struct child child;

	setproctitle_init(argc, argv, envp);
	child_begin(&child, PROGRAM_SPAWN);
	base = event_base_new();
	deadline = base != NULL ? evtimer_new(base, on_deadline, NULL) : NULL;
	if (deadline == NULL ||
	    workers_begin(base, child.config, stop_if_done) == -1)
		log_fatal(EX_OSERR, "event loop");
	link_queue_begin(base);
	enter_cage(child.config);
	child_run(&child, base, &handler);
	if (event_base_dispatch(base) == -1)
		log_error("event-loop-failed");
	return 0;
}
