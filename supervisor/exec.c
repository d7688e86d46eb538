#include "supervisor/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/unistd.h>

#include "common/log.h"

#define CHANNEL_FD 3

/* What is passed on of our own environment. */
static const char *const kept[] = { "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS" };

#define KEPT (sizeof(kept) / sizeof(kept[0]))

/* The name and its value as they lie in our own environment. */
static char *
find_variable(const char *variable)
{
	size_t length = strlen(variable);

	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, variable, length) == 0 && (*e)[length] == '=')
			return *e;
	return NULL;
}

static void
fill_environment(char **environment)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	size_t n = 0;

	environment[n++] = path;
	for (size_t i = 0; i < KEPT; i++) {
		environment[n] = find_variable(kept[i]);
		if (environment[n] != NULL)
			n++;
	}
	environment[n] = NULL;
}

static int
arrange_descriptors(int channel, bool keep_stderr)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1)
		return -1;
	/* Above what is about to be replaced; both lose close-on-exec. */
	channel = fcntl(channel, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
	if (channel == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 || dup2(channel, CHANNEL_FD) == -1)
		return -1;
	if (!keep_stderr && dup2(null, STDERR_FILENO) == -1)
		return -1;
	closefrom(CHANNEL_FD + 1);
	return 0;
}

static void
reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGPIPE)
			signal(s, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
become(const char *path, int channel, bool keep_stderr)
{
	char *environment[KEPT + 2];
	char *arguments[2] = { strdup(path), NULL };

	reset_signals();
	fill_environment(environment);
	setsid();
	if (arguments[0] != NULL &&
	    arrange_descriptors(channel, keep_stderr) == 0)
		execve(path, arguments, environment);
	log_error("exec-failed path=\"%s\" error=\"%s\"", log_text(path),
	    strerror(errno));
	_exit(EX_OSFILE);
}

/* Signals wait until the child has its own handlers: one that comes too early
 * would go through libevent's socket to the supervisor. */
pid_t
exec_program(const char *path, int channel, bool keep_stderr)
{
	sigset_t all, before;
	pid_t pid;
	int error;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(path, channel, keep_stderr);
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return pid;
}
