#include "deliver/spawn/workers.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>
#include <event2/event.h>

#include "common/log.h"
#include "deliver/local/worker.h"
#include "deliver/spawn/become.h"

struct slot {
	pid_t pid; /* 0: free */
	uint64_t link;
	uint32_t handle;
	bool killed; /* by us: no surprise */
	char login[LIMIT_USER + 1];
};

static struct {
	const struct config *config;
	struct event *child_ended;
	void (*changed)(void);
	struct slot slots[WORKERS_MOST];
	unsigned int count;
} state;

static struct slot *
find(pid_t pid)
{
	for (unsigned int i = 0; i < WORKERS_MOST; i++)
		if (state.slots[i].pid == pid)
			return &state.slots[i];
	return NULL;
}

/* -- Ending ---------------------------------------------------------------- */

static void
log_end(const struct slot *slot, int status)
{
	const char *login = log_text(slot->login);

	if (WIFSIGNALED(status) && slot->killed)
		log_warn("worker-killed user=\"%s\" pid=%ld", login,
		    (long)slot->pid);
	else if (WIFSIGNALED(status))
		log_warn("worker-died user=\"%s\" pid=%ld signal=%d", login,
		    (long)slot->pid, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_warn("worker-failed user=\"%s\" pid=%ld code=%d", login,
		    (long)slot->pid, WEXITSTATUS(status));
	else
		log_debug(
		    "worker-ended user=\"%s\" pid=%ld", login, (long)slot->pid);
}

static void
reap(evutil_socket_t number, short what, void *context)
{
	struct slot *slot;
	int status;
	pid_t pid;

	(void)number;
	(void)what;
	(void)context;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		slot = find(pid);
		if (slot == NULL)
			continue;
		log_end(slot, status);
		memset(slot, 0, sizeof(*slot));
		state.count--;
	}
	state.changed();
}

int
workers_begin(
    struct event_base *base, const struct config *config, void (*changed)(void))
{
	state.config = config;
	state.changed = changed;
	state.child_ended = evsignal_new(base, SIGCHLD, reap, NULL);
	return state.child_ended == NULL ? -1
					 : event_add(state.child_ended, NULL);
}

/* -- Starting -------------------------------------------------------------- */

static void
run_worker(const struct owner *owner, int fd)
{
	struct worker w = { .fd = fd, .config = state.config, .owner = *owner };

	become_worker(&w);
}

static void
remember(struct slot *slot, const struct owner *owner, uint64_t link,
    uint32_t handle, pid_t pid)
{
	slot->pid = pid;
	slot->link = link;
	slot->handle = handle;
	slot->killed = false;
	strlcpy(slot->login, owner->login, sizeof(slot->login));
	state.count++;
}

/* One that waits for a file system that hangs does not hear SIGKILL. */
static bool
is_unkillable(const char *login)
{
	for (unsigned int i = 0; i < WORKERS_MOST; i++)
		if (state.slots[i].pid > 0 && state.slots[i].killed &&
		    strcmp(state.slots[i].login, login) == 0)
			return true;
	return false;
}

int
workers_start(
    const struct owner *owner, uint64_t link, uint32_t handle, pid_t *pid)
{
	struct slot *slot = find(0);
	int pair[2], error;

	if (slot == NULL || is_unkillable(owner->login)) {
		errno = slot == NULL ? EUSERS : EBUSY;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	*pid = fork();
	error = errno;
	if (*pid == 0)
		run_worker(owner, pair[1]);
	close(pair[1]);
	if (*pid == -1) {
		close(pair[0]);
		errno = error;
		return -1;
	}
	remember(slot, owner, link, handle, *pid);
	return pair[0];
}

/* -- Killing --------------------------------------------------------------- */

static int
kill_slot(struct slot *slot)
{
	slot->killed = true;
	return kill(slot->pid, SIGKILL);
}

/* A pid in the table is not reused before it was waited for, so it cannot be
 * anybody else's. */
int
workers_kill(uint64_t link, uint32_t handle, uint32_t pid)
{
	struct slot *slot = NULL;

	for (unsigned int i = 0; i < WORKERS_MOST && slot == NULL; i++)
		if (state.slots[i].pid > 0 &&
		    (uint32_t)state.slots[i].pid == pid)
			slot = &state.slots[i];
	if (slot == NULL || slot->link != link || slot->handle != handle) {
		errno = ESRCH;
		return -1;
	}
	return kill_slot(slot);
}

void
workers_kill_all(void)
{
	for (unsigned int i = 0; i < WORKERS_MOST; i++)
		if (state.slots[i].pid > 0 && kill_slot(&state.slots[i]) == -1)
			log_warn("worker-kill pid=%ld error=\"%s\"",
			    (long)state.slots[i].pid, strerror(errno));
}

unsigned int
workers_count(void)
{
	return state.count;
}
