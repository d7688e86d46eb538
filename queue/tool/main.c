/*
 * postern-store: looks after the queue's store: checks it, copies it while mail
 * flows, puts a copy back, and moves it elsewhere.
 *
 * Started as root it becomes the queue's user before it looks at any file of
 * the store, in a child that has nothing but the store; so nothing in there is
 * ever root's, and what a damaged store does to its reader ends with the child.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/config.h"
#include "common/config_load.h"
#include "common/sandbox.h"
#include "queue/tool/tool.h"

enum argument { ARGUMENT_NONE, ARGUMENT_MAY, ARGUMENT_MUST };

struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	enum argument file;
	bool json;    /* knows --json */
	bool compact; /* knows --compact */
	int (*prepare)(struct tool *);
	int (*work)(struct tool *);
	int (*finish)(struct tool *, int code);
};

static const struct command commands[] = {
	{ "check", "[--json] [FILE]",
	    "say what is wrong with the store, or with a backup", ARGUMENT_MAY,
	    true, false, NULL, check_work, NULL },
	{ "backup", "[--compact] FILE|FOLDER",
	    "copy the store while mail flows", ARGUMENT_MUST, false, true,
	    backup_prepare, backup_work, backup_finish },
	{ "restore", "FILE", "put a backup in place of the store",
	    ARGUMENT_MUST, false, false, restore_prepare, restore_work, NULL },
	{ "compact", "", "make the store's file as small as can be",
	    ARGUMENT_NONE, false, false, NULL, compact_work, NULL },
	{ "dump", "", "write all mail and its history as JSON Lines",
	    ARGUMENT_NONE, false, false, NULL, dump_work, NULL },
	{ "load", "", "add what a dump holds and the store does not",
	    ARGUMENT_NONE, false, false, NULL, load_work, NULL },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static volatile sig_atomic_t child;

static int
usage(void)
{
	fputs(
	    "usage: postern-store [-c FILE] COMMAND [ARGUMENT...]\n\n", stderr);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stderr, "  %-8s %-24s %s\n", commands[i].name,
		    commands[i].arguments, commands[i].summary);
	return EX_USAGE;
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
read_arguments(
    const struct command *c, struct tool *tool, int count, char **words)
{
	for (int i = 0; i < count; i++) {
		if (c->json && strcmp(words[i], "--json") == 0)
			tool->json = true;
		else if (c->compact && strcmp(words[i], "--compact") == 0)
			tool->compact = true;
		else if (words[i][0] != '-' && tool->file == NULL &&
			 c->file != ARGUMENT_NONE)
			tool->file = words[i];
		else
			return usage();
	}
	return c->file == ARGUMENT_MUST && tool->file == NULL ? usage() : EX_OK;
}

/* Only root and the queue itself may look at all mail. */
static int
check_caller(void)
{
	const struct passwd *pw = getpwnam(TOOL_USER);

	if (geteuid() == 0 || (pw != NULL && geteuid() == pw->pw_uid))
		return EX_OK;
	tool_say("this is for root, or for the user " TOOL_USER);
	return EX_NOPERM;
}

/* -- The child ------------------------------------------------------------ */

/* A file that is not in the store is read as root, or as the queue's user if it
 * is theirs: root is without its powers there. */
static bool
is_of_queue(const char *file)
{
	const struct passwd *pw = getpwnam(TOOL_USER);
	struct stat st;

	return pw != NULL && stat(file, &st) == 0 && st.st_uid == pw->pw_uid;
}

static void
enter_cage(struct tool *tool)
{
	bool is_root = geteuid() == 0;
	bool inside = tool->file == NULL || tool->fd != -1;
	const struct sandbox_path paths[] = {
		{ .path = inside ? tool->place : tool->file,
		    .writable = inside },
		{ .path = NULL },
	};

	sandbox_enter(&(struct sandbox){
	    .user = is_root && (inside || is_of_queue(tool->file)) ? TOOL_USER
								   : NULL,
	    .root = is_root && inside ? tool->directory : NULL,
	    .paths = paths,
	    .calls = SANDBOX_FILES_READ | SANDBOX_FILES_WRITE | SANDBOX_MEMFD |
		     SANDBOX_THREADS,
	    .open_files = 256,
	});
}

static void
work(const struct command *c, struct tool *tool)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		_exit(EX_OSERR);
	tool->place = geteuid() == 0 ? "/" : tool->directory;
	enter_cage(tool);
	exit(tool_flush(c->work(tool)));
}

/* -- Its parent ----------------------------------------------------------- */

static void
on_signal(int number)
{
	int saved = errno;

	if (child > 0)
		kill((pid_t)child, number);
	errno = saved;
}

/* Whoever is told to stop first takes away what is half done. */
static void
pass_signals_on(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaction(numbers[i], &action, NULL);
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return EX_OSERR;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	status = WTERMSIG(status);
	if (status != SIGSEGV && status != SIGBUS && status != SIGABRT) {
		tool_say("stopped: %s", strsignal(status));
		return EX_TEMPFAIL;
	}
	tool_say("the pages of the store are damaged, or its disk cannot be "
		 "read (%s)",
	    strsignal(status));
	return EX_DATAERR;
}

static int
run(const struct command *c, struct tool *tool)
{
	int code = c->prepare == NULL ? EX_OK : c->prepare(tool);
	sigset_t all, before;
	pid_t pid;

	if (code != EX_OK)
		return code;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		work(c, tool);
	}
	child = pid;
	pass_signals_on();
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid == -1)
		tool_say("fork: %s", strerror(errno));
	code = pid == -1 ? EX_OSERR : wait_for(pid);
	return c->finish == NULL ? code : c->finish(tool, code);
}

static bool
has_store(const struct tool *tool)
{
	struct stat st;

	if (stat(tool->directory, &st) == 0)
		return true;
	tool_say("%s: %s (postern makes it when it starts)", tool->directory,
	    strerror(errno));
	return false;
}

static int
run_with_config(const struct command *c, struct tool *tool, const char *file)
{
	struct config *config = config_load(file, stderr);
	char *directory = NULL;
	int code = EX_CONFIG;

	if (config == NULL)
		return code;
	if (asprintf(&directory, "%s/store", config->spool) == -1)
		return EX_OSERR;
	tool->config = config;
	tool->directory = directory;
	/* A backup can be checked anywhere. */
	if ((c->work == check_work && tool->file != NULL) || has_store(tool))
		code = run(c, tool);
	else
		code = EX_NOINPUT;
	free(directory);
	config_free(&config);
	return code;
}

int
main(int argc, char **argv)
{
	const char *file = CONFIG_FILE;
	struct tool tool = { .fd = -1 };
	const struct command *c;
	int option, code;

	while ((option = getopt(argc, argv, "+c:")) != -1) {
		if (option != 'c')
			return usage();
		file = optarg;
	}
	if (optind == argc || (c = find_command(argv[optind])) == NULL)
		return usage();
	code = read_arguments(c, &tool, argc - optind - 1, argv + optind + 1);
	if (code == EX_OK)
		code = check_caller();
	return code == EX_OK ? run_with_config(c, &tool, file) : code;
}
