/*
 * queue: keeps the mail that postern has accepted until it is delivered.
 *
 * Routers hand messages over, agents deliver them, administrators look. The
 * store on the disk is the truth (store.h); this process writes it in group
 * commits (commit.h) and decides what is tried next (scheduler.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "queue/agents.h"
#include "queue/commit.h"
#include "queue/content_cache.h"
#include "queue/control_client.h"
#include "queue/control_peer.h"
#include "queue/destination.h"
#include "queue/drain.h"
#include "queue/flight.h"
#include "queue/history.h"
#include "queue/lifecycle.h"
#include "queue/link_control.h"
#include "queue/link_router.h"
#include "queue/link_spawn.h"
#include "queue/link_user.h"
#include "queue/pause.h"
#include "queue/query.h"
#include "queue/query_destinations.h"
#include "queue/query_stats.h"
#include "queue/remotes.h"
#include "queue/redirector.h"
#include "queue/reporter.h"
#include "queue/scheduler.h"
#include "queue/store.h"
#include "queue/submission.h"
#include "queue/turn.h"
#include "queue/workers.h"

#define USER "postern-queue"

static struct {
	struct event_base *base;
	struct config *config;
	unsigned int history;
	struct destinations destinations;
	struct lifecycle lifecycle;
} state;

/* -- Commits -------------------------------------------------------------- */

static void
on_gathered(bool full)
{
	if (full)
		turn_now();
	else
		turn_soon();
}

static void
on_accepted(struct submission *s)
{
	int fd = s->fd;

	s->fd = -1;
	content_cache_keep(s->id, s->size, fd);
}

/* While the store cannot be written nothing is handed out: its outcome could
 * not be noted. */
static void
on_stalled(bool stalled)
{
	scheduler_pause(stalled || drain_has_begun());
	reporter_pause(stalled);
}

static void
on_committed(void)
{
	scheduler_committed();
	reporter_look();
}

static const struct commit_handler commit_handler = {
	.gathered = on_gathered,
	.accepted = on_accepted,
	.landed = scheduler_landed,
	.gone = content_cache_drop,
	.committed = on_committed,
	.resumed = scheduler_resume,
	.stalled = on_stalled,
};

/* One turn: hand out what is due, commit what has gathered, hand out what the
 * commit made due. Before the commit too, so that agents work while it waits
 * for the disk. */
static void
work(void)
{
	scheduler_dispatch();
	commit_run();
	scheduler_dispatch();
}

/* -- The supervisor ------------------------------------------------------- */

static void
on_peer(const struct child_peer *peer)
{
	if (peer->program == PROGRAM_ROUTER)
		router_add(state.base, peer);
	else if (peer->program == PROGRAM_SPAWN)
		spawn_add(peer);
	else if (peer->program == PROGRAM_REMOTE)
		remotes_add(peer);
	else {
		log_warn(
		    "peer-unexpected peer=%s", program_name(peer->program));
		close(peer->fd);
	}
}

static void
use_config(struct config *config)
{
	config_free(&state.config);
	state.config = config;
	state.history = config->history;
	state.lifecycle.retry = (struct retry_policy){
		.from = config->retry_from,
		.to = config->retry_to,
		.for_ = config->retry_for,
	};
	state.lifecycle.warn_after = config->warn_after;
}

/* What waits is named, not frozen: nothing in the store changes. */
static void
on_reconfigure(struct config *take)
{
	if (take->limit_store_size != state.config->limit_store_size &&
	    store_resize(state.lifecycle.store, take->limit_store_size) == -1)
		log_error("store-not-resized error=\"%s\"", strerror(errno));
	use_config(take);
	log_info("reconfigured");
}

/* -- Beginning ------------------------------------------------------------ */

static void
enter_cage(const struct config *config)
{
	static const struct sandbox_path paths[] = {
		{ .path = "/", .writable = true },
		{ .path = NULL },
	};
	char *root = NULL;

	if (asprintf(&root, "%s/store", config->spool) == -1)
		log_fatal(EX_OSERR, "memory");
	sandbox_enter(&(struct sandbox){
	    .user = USER,
	    .root = root,
	    .paths = paths,
	    .calls = SANDBOX_FILES_READ | SANDBOX_FILES_WRITE | SANDBOX_MEMFD |
		     SANDBOX_ACCEPT,
	    .open_files = 65536,
	});
	free(root);
}

static void
open_store(void)
{
	struct lifecycle *l = &state.lifecycle;

	l->store = store_open("/", state.config->limit_store_size);
	if (l->store == NULL && errno == ENOTSUP) {
		errno = 0;
		log_fatal(
		    EX_CONFIG, "the store was written by a newer postern");
	}
	if (l->store == NULL)
		log_fatal(EX_IOERR, "store");
	l->destinations = &state.destinations;
	destinations_begin(l->destinations);
	if (store_read_begin(l->store) == -1 || lifecycle_begin(l) == -1 ||
	    pause_load(l->store) == -1)
		log_fatal(EX_IOERR, "store");
	store_read_end(l->store);
}

static void
start_parts(void)
{
	struct event_base *base = state.base;

	if (turn_start(base, work) == -1 ||
	    commit_start(base, &state.lifecycle, &commit_handler) == -1 ||
	    scheduler_start(base, &state.lifecycle, &agents) == -1 ||
	    remotes_start(base) == -1 || workers_start(base) == -1 ||
	    history_start(base, state.lifecycle.store, &state.history) == -1 ||
	    content_cache_start(base) == -1 || drain_start(base) == -1 ||
	    reporter_start(base, &state.lifecycle, &state.config) == -1 ||
	    redirector_start(base, &state.lifecycle) == -1)
		log_fatal(EX_OSERR, "start");
	state.lifecycle.is_telling = reporter_is_telling;
	query_start(state.lifecycle.store);
	query_stats_start(&state.lifecycle);
	query_destinations_start(&state.lifecycle);
}

int
main(void)
{
	static const struct child_handler handler = {
		.peer = on_peer,
		.drain = drain_begin,
		.reconfigure = on_reconfigure,
		.listening = query_stats_listening,
		.login = user_login,
	};
	struct child child;

	child_begin(&child, PROGRAM_QUEUE);
	control_peer_begin();
	enter_cage(child.config);
	state.base = event_base_new();
	if (state.base == NULL ||
	    event_base_priority_init(state.base, TURN_PRIORITIES) == -1)
		log_fatal(EX_OSERR, "event base");
	use_config(child.config);
	open_store();
	start_parts();
	control_clients_start(state.base);
	if (child.listeners[0] != -1)
		control_start(state.base, child.listeners[0]);
	if (child.listeners[1] != -1)
		user_start(state.base, child.listeners[1]);
	query_stats_listening(!child.is_quiet);
	child_run(&child, state.base, &handler);
	scheduler_wake();
	if (event_base_dispatch(state.base) == -1)
		log_fatal(EX_SOFTWARE, "event loop");
	return 0;
}
