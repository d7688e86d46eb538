#include "supervisor/supervise.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "common/log.h"
#include "supervisor/daemon.h"
#include "supervisor/drain.h"
#include "supervisor/generation.h"
#include "supervisor/introduce.h"
#include "supervisor/log_socket.h"
#include "supervisor/logins.h"
#include "supervisor/notify.h"
#include "supervisor/process.h"
#include "supervisor/relink.h"
#include "supervisor/reload.h"

/* How long the command that started us waits for the house to be ready. */
#define FIRST_READY_SECONDS 20

static struct {
	bool was_ready;
	struct event *impatient;
} state;

static void
on_ready(struct process *p)
{
	struct house *house = p->house;

	if (house->stopping)
		return;
	if (!state.was_ready && generation_is_ready(house->current, house)) {
		state.was_ready = true;
		event_del(state.impatient);
		log_info("ready generation=%u", house->current->number);
		notify_ready();
		daemon_release(0);
	}
	reload_check(house);
}

static void
on_log_lost(struct process *p)
{
	(void)p;
	log_socket_lost();
}

static struct process *
find_process(struct house *house, pid_t pid)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next)
		if (p->pid == pid)
			return p;
	return NULL;
}

static void
on_child(evutil_socket_t signal_number, short what, void *argument)
{
	struct house *house = argument;
	struct process *p;
	int status;
	pid_t pid;

	(void)signal_number;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		p = find_process(house, pid);
		if (p == NULL) /* as pid 1 we inherit orphans */
			continue;
		process_ended(p, status);
		if (!drain_concerns(p))
			process_restart(p);
	}
	drain_step(house);
}

static void
on_end(evutil_socket_t signal_number, short what, void *argument)
{
	(void)what;
	if (((struct house *)argument)->stopping)
		return;
	log_info("stop signal=%s", strsignal((int)signal_number));
	notify_stopping();
	reload_forget();
	drain_house(argument);
}

static void
on_hangup(evutil_socket_t signal_number, short what, void *argument)
{
	(void)signal_number;
	(void)what;
	if (!((struct house *)argument)->stopping)
		reload_begin(argument);
}

static void
on_impatient(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	log_error("not-ready seconds=%d", FIRST_READY_SECONDS);
	daemon_release(EX_TEMPFAIL);
}

static int
add_signal(struct house *house, int number, event_callback_fn handler)
{
	struct event *e = evsignal_new(house->base, number, handler, house);

	return e == NULL ? -1 : event_add(e, NULL);
}

int
supervise_start(struct house *house)
{
	static const struct process_events events = {
		.started = introduce,
		.ready = on_ready,
		.log_lost = on_log_lost,
		.peer_lost = relink_ask,
		.who = logins_answer,
	};
	static const struct timeval patience = { FIRST_READY_SECONDS, 0 };

	house->events = &events;
	state.impatient = evtimer_new(house->base, on_impatient, house);
	if (state.impatient == NULL ||
	    event_add(state.impatient, &patience) == -1 ||
	    add_signal(house, SIGCHLD, on_child) == -1 ||
	    add_signal(house, SIGTERM, on_end) == -1 ||
	    add_signal(house, SIGINT, on_end) == -1)
		return -1;
	return add_signal(house, SIGHUP, on_hangup);
}
