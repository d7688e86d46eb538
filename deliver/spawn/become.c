#include "deliver/spawn/become.h"

#include <sys/types.h>

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/unistd.h>

#include "common/log.h"
#include "deliver/local/worker.h"

/* All but standard error and its kin, the channel and the log: not the
 * supervisor, no other worker, no queue. They are closed without the event
 * loop, which shares its epoll set with the parent. */
static void
close_all_but(int one, int other)
{
	unsigned int low = (unsigned int)(one < other ? one : other);
	unsigned int high = (unsigned int)(one < other ? other : one);
	unsigned int first = STDERR_FILENO + 1;

	if (low >= first) {
		if (low > first && close_range(first, low - 1, 0) == -1)
			log_fatal(EX_OSERR, "close_range");
		first = low + 1;
	}
	if (high > first && close_range(first, high - 1, 0) == -1)
		log_fatal(EX_OSERR, "close_range");
	if (close_range(high >= first ? high + 1 : first, ~0U, 0) == -1)
		log_fatal(EX_OSERR, "close_range");
}

static void
reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR ||
	    signal(SIGTERM, SIG_DFL) == SIG_ERR ||
	    signal(SIGINT, SIG_DFL) == SIG_ERR ||
	    signal(SIGHUP, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		log_fatal(EX_OSERR, "signals");
}

static void
check_identity(const struct owner *owner)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) == -1 ||
	    getresgid(&gid[0], &gid[1], &gid[2]) == -1)
		log_fatal(EX_OSERR, "identity");
	for (int i = 0; i < 3; i++)
		if (uid[i] != owner->uid || uid[i] == 0 ||
		    gid[i] != owner->gid || gid[i] == 0)
			log_fatal(EX_OSERR, "identity did not change");
	if (setresuid(0, 0, 0) != -1 || setresgid(0, 0, 0) != -1)
		log_fatal(EX_OSERR, "root could be had back");
	errno = 0;
}

/* The one group is the account's own: a mailbox needs no other. */
static void
change_identity(const struct owner *owner)
{
	if (setgroups(1, &owner->gid) == -1 ||
	    setresgid(owner->gid, owner->gid, owner->gid) == -1 ||
	    setresuid(owner->uid, owner->uid, owner->uid) == -1)
		log_fatal(
		    EX_OSERR, "become user \"%s\"", log_text(owner->login));
	check_identity(owner);
}

void
become_worker(const struct worker *w)
{
	log_on_lost(NULL); /* the supervisor's channel is spawn's */
	log_program(PROGRAM_LOCAL);
	reset_signals();
	close_all_but(w->fd, log_descriptor());
	setproctitle("-local: %s", w->owner.login);
	change_identity(&w->owner);
	worker_run(w);
}
