#include "supervisor/log_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "supervisor/process.h"

#define SYSLOG_PATH "/dev/log"

static struct {
	struct house *house;
	int syslog; /* what all share; -1 while there is none */
	int other;  /* standard error, or nowhere if that is not ours */
	bool verbose;
	struct event *again;
} state = { .syslog = -1 };

static int
connect_syslog(void)
{
	struct sockaddr_un address = {
		.sun_family = AF_UNIX,
		.sun_path = SYSLOG_PATH,
	};
	/* Not blocking, for all who share it: a log that is full loses lines
	 * and counts them, it does not hold up the mail. */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
use_it_here(void)
{
	int fd = fcntl(state.syslog, F_DUPFD_CLOEXEC, 0);

	if (fd != -1)
		log_open(fd, LOG_FORM_SYSLOG, state.verbose);
}

static void
try_to_connect(void)
{
	static const struct timeval soon = { 1, 0 };
	struct process *p;

	if (state.syslog != -1)
		close(state.syslog);
	state.syslog = connect_syslog();
	if (state.syslog == -1) {
		evtimer_add(state.again, &soon);
		return;
	}
	use_it_here();
	TAILQ_FOREACH (p, &state.house->processes, next)
		log_socket_tell(p);
}

static void
on_again(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	try_to_connect();
}

/* Many lose it at the same time, and it may take a moment to come back. */
void
log_socket_lost(void)
{
	static const struct timeval soon = { 0, 200000 };

	if (!state.house->foreground && !evtimer_pending(state.again, NULL))
		evtimer_add(state.again, &soon);
}

static void
on_lost_here(uint32_t lines)
{
	(void)lines;
	log_socket_lost();
}

/* A terminal may be stopped and a pipe may be full: that must not hold up the
 * mail. Opened anew, since whoever gave it to us shares the flags of what we
 * have. Without /proc we do with that. */
static int
open_stderr(void)
{
	struct stat status;
	int fd = -1;

	if (fstat(STDERR_FILENO, &status) == 0 &&
	    (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
		fd = open("/proc/self/fd/2",
		    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd != -1 ? fd : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
}

static int
start_stderr(bool verbose)
{
	int fd;

	state.other = open_stderr();
	if (state.other == -1)
		return -1;
	fd = fcntl(state.other, F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	log_open(fd, LOG_FORM_STDERR, verbose);
	return 0;
}

static int
start_syslog(void)
{
	state.other = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (state.other == -1)
		return -1;
	try_to_connect();
	if (state.syslog == -1)
		log_warn("log-missing path=%s effect=\"lines are lost until "
			 "syslog is there\"",
		    SYSLOG_PATH);
	return 0;
}

int
log_socket_start(struct house *house, bool verbose)
{
	state.house = house;
	state.verbose = verbose;
	state.again = evtimer_new(house->base, on_again, NULL);
	if (state.again == NULL)
		return -1;
	log_on_lost(on_lost_here);
	return house->foreground ? start_stderr(verbose) : start_syslog();
}

void
log_socket_tell(struct process *p)
{
	struct message m = MESSAGE_INIT(MESSAGE_LOG, 0);

	m.log.form = state.syslog != -1 ? LOG_FORM_SYSLOG : LOG_FORM_STDERR;
	m.log.verbose = state.verbose;
	process_tell(p, &m, state.syslog != -1 ? state.syslog : state.other);
}
