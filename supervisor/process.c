#include "supervisor/process.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/channel.h"
#include "common/log.h"
#include "common/monotime.h"
#include "supervisor/exec.h"

#define READY_MS 10000
/* Between the end of the channel and the end of the process. */
#define LINGER_MS 1000

static void on_timer(evutil_socket_t, short, void *);

struct process *
process_new(struct generation *g, struct house *house,
    const struct program_spec *spec, unsigned int worker)
{
	struct process *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->timer = event_new(house->base, -1, 0, on_timer, p);
	if (p->timer == NULL) {
		free(p);
		errno = ENOMEM;
		return NULL;
	}
	p->house = house;
	p->spec = spec;
	p->generation = g;
	p->worker = worker;
	p->state = PROCESS_WAITING;
	TAILQ_INSERT_TAIL(&house->processes, p, next);
	return p;
}

void
process_free(struct process **pointer)
{
	struct process *p = *pointer;

	*pointer = NULL;
	if (p == NULL)
		return;
	TAILQ_REMOVE(&p->house->processes, p, next);
	channel_free(&p->channel);
	event_free(p->timer);
	free(p);
}

static const char *
name(const struct process *p)
{
	return program_name(p->spec->program);
}

static void
set_timer(struct process *p, int64_t milliseconds)
{
	struct timeval in = monotime_timeval(milliseconds);

	if (evtimer_add(p->timer, &in) == -1)
		log_error("timer-failed program=%s", name(p));
}

void
process_kill_in(struct process *p, int64_t milliseconds)
{
	set_timer(p, milliseconds > 0 ? milliseconds : 0);
}

void
process_kill(struct process *p, const char *why)
{
	if (p->pid == 0)
		return;
	log_warn(
	    "kill program=%s pid=%ld why=\"%s\"", name(p), (long)p->pid, why);
	/* Not reaped yet, so the number is still its own. */
	if (kill(p->pid, SIGKILL) == -1)
		log_error("kill-failed program=%s pid=%ld error=\"%s\"",
		    name(p), (long)p->pid, strerror(errno));
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct process *p = argument;

	(void)fd;
	(void)what;
	switch (p->state) {
	case PROCESS_WAITING:
		process_start(p);
		break;
	case PROCESS_STARTING:
		process_kill(p, "not ready in time");
		break;
	case PROCESS_READY:
		process_kill(p, "its channel ended");
		break;
	case PROCESS_DRAINING:
		process_kill(p, "did not end in time");
		break;
	}
}

static int
on_ready(struct process *p, const struct message *m)
{
	if (m->ready.instance != p->instance || p->was_ready)
		return -1;
	p->was_ready = true;
	if (p->state == PROCESS_STARTING) {
		p->state = PROCESS_READY;
		event_del(p->timer);
	}
	log_debug("ready program=%s pid=%ld instance=%u generation=%u", name(p),
	    (long)p->pid, p->instance, p->generation->number);
	p->house->events->ready(p);
	return 0;
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	struct process *p = context;

	(void)channel;
	if (m->type == MESSAGE_READY)
		return on_ready(p, m);
	if (m->type == MESSAGE_LOG_LOST) {
		p->house->events->log_lost(p);
		return 0;
	}
	if (m->type == MESSAGE_PEER_LOST)
		return p->house->events->peer_lost(p, &m->peer_lost);
	if (m->type == MESSAGE_WHO)
		return p->house->events->who(p, &m->who);
	return -1;
}

/* It is about to exit, or it broke the protocol and has to. */
static void
on_closed(struct channel *channel, void *context)
{
	struct process *p = context;

	(void)channel;
	p->channel = NULL;
	if (p->state == PROCESS_STARTING)
		p->state = PROCESS_READY;
	if (p->state == PROCESS_READY)
		set_timer(p, LINGER_MS);
}

static int
run(struct process *p)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	p->channel = channel_new(p->house->base, pair[0], PROGRAM_SUPERVISOR,
	    p->spec->program, &handler, p);
	if (p->channel == NULL) {
		close(pair[1]);
		return -1;
	}
	p->pid = exec_program(
	    programs_path(p->spec->program), pair[1], p->house->foreground);
	close(pair[1]);
	if (p->pid != -1)
		return 0;
	p->pid = 0;
	channel_free(&p->channel);
	return -1;
}

void
process_start(struct process *p)
{
	p->instance = ++p->house->instances;
	p->was_ready = false;
	p->started = monotime_now();
	if (run(p) == -1) {
		log_error("start-failed program=%s error=\"%s\"", name(p),
		    strerror(errno));
		process_restart(p);
		return;
	}
	p->state = PROCESS_STARTING;
	set_timer(p, READY_MS);
	log_info("start program=%s worker=%u pid=%ld instance=%u generation=%u",
	    name(p), p->worker, (long)p->pid, p->instance,
	    p->generation->number);
	p->house->events->started(p);
}

static void
log_end(const struct process *p, int status)
{
	const char *how = WIFSIGNALED(status) ? "signal" : "code";
	int number =
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);

	if (status == 0 && p->state == PROCESS_DRAINING)
		log_info("end program=%s pid=%ld instance=%u", name(p),
		    (long)p->pid, p->instance);
	else
		log_warn("death program=%s pid=%ld instance=%u %s=%d", name(p),
		    (long)p->pid, p->instance, how, number);
}

void
process_ended(struct process *p, int status)
{
	log_end(p, status);
	p->pid = 0;
	p->state = PROCESS_WAITING;
	channel_free(&p->channel);
	event_del(p->timer);
}

void
process_restart(struct process *p)
{
	int64_t lived = monotime_ms_between(p->started, monotime_now());
	int64_t wait = backoff_next(&p->backoff, lived, p->was_ready);

	p->state = PROCESS_WAITING;
	if (wait > 0)
		log_warn("back-off program=%s ms=%lld deaths=%u", name(p),
		    (long long)wait, p->backoff.quick_deaths);
	set_timer(p, wait);
}

void
process_tell(struct process *p, struct message *m, int fd_lent)
{
	if (p->channel == NULL)
		return;
	if (fd_lent != -1)
		m->fd = fcntl(fd_lent, F_DUPFD_CLOEXEC, 0);
	if (channel_send(p->channel, m) == 0)
		return;
	if (errno == EPIPE || errno == ECONNRESET)
		return; /* it is dying, and the channel says so soon */
	log_warn("tell-failed program=%s message=%s error=\"%s\"", name(p),
	    message_type_name(m->type), strerror(errno));
	process_kill(p, "cannot be told");
}

void
process_drain(struct process *p, uint32_t seconds)
{
	struct message m = MESSAGE_INIT(MESSAGE_DRAIN, 0);

	if (p->state == PROCESS_DRAINING)
		return;
	p->state = PROCESS_DRAINING;
	m.drain.seconds = seconds;
	process_tell(p, &m, -1);
}
