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
	bool is_read; /* the file is looked into */
	bool json;    /* knows --json */
	bool compact; /* knows --compact */
	int (*prepare)(struct tool *);
	int (*work)(struct tool *);
	int (*tidy)(struct tool *); /* if `work` failed; in a cage, too */
	int (*finish)(struct tool *, int code);
};

static const struct command commands[] = {
	{ .name = "check",
	    .arguments = "[--json] [FILE]",
	    .summary = "say what is wrong with the store, or with a backup",
	    .file = ARGUMENT_MAY,
	    .is_read = true,
	    .json = true,
	    .prepare = check_prepare,
	    .work = check_work },
	{ .name = "backup",
	    .arguments = "[--compact] FILE|FOLDER",
	    .summary = "copy the store while mail flows",
	    .file = ARGUMENT_MUST,
	    .compact = true,
	    .prepare = backup_prepare,
	    .work = backup_work,
	    .finish = backup_finish },
	{ .name = "restore",
	    .arguments = "FILE",
	    .summary = "put a backup in place of the store",
	    .file = ARGUMENT_MUST,
	    .is_read = true,
	    .prepare = restore_prepare,
	    .work = restore_work,
	    .tidy = exchange_tidy },
	{ .name = "compact",
	    .arguments = "",
	    .summary = "make the store's file as small as can be",
	    .work = compact_work,
	    .tidy = exchange_tidy },
	{ .name = "dump",
	    .arguments = "",
	    .summary = "write all mail and its history as JSON Lines",
	    .work = dump_work },
	{ .name = "load",
	    .arguments = "",
	    .summary = "add what a dump holds and the store does not",
	    .work = load_work },
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

/* Who kills us wants nothing more to be done. The kernel forgets that it should
 * tell when the user changes, so this comes behind it. */
static void
die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
		_exit(EX_OSERR);
}

static void
work(int (*what)(struct tool *), struct tool *tool, pid_t parent)
{
	tool->place = geteuid() == 0 ? "/" : tool->directory;
	enter_cage(tool);
	die_with(parent);
	exit(tool_flush(what(tool)));
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
wait_for(pid_t pid, const char *looked_at)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return EX_OSERR;
	child = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	status = WTERMSIG(status);
	if (status != SIGSEGV && status != SIGBUS && status != SIGABRT) {
		tool_say("stopped: %s", strsignal(status));
		return EX_TEMPFAIL;
	}
	tool_say("the pages of %s are damaged, or its disk cannot be read (%s)",
	    looked_at, strsignal(status));
	return EX_DATAERR;
}

static const char *
looked_at(const struct command *c, const struct tool *tool)
{
	return c->is_read && tool->file != NULL ? tool->file : "the store";
}

/* In a child; its exit code. Signals are blocked until there is somebody to pass
 * them on to. */
static int
run_in_cage(const struct command *c, int (*what)(struct tool *),
    struct tool *tool, const sigset_t *before)
{
	pid_t self = getpid(), pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, before, NULL);
		work(what, tool, self);
	}
	child = pid;
	pass_signals_on();
	sigprocmask(SIG_SETMASK, before, NULL);
	if (pid != -1)
		return wait_for(pid, looked_at(c, tool));
	tool_say("fork: %s", strerror(errno));
	return EX_OSERR;
}

static int
run(const struct command *c, struct tool *tool)
{
	sigset_t all, before;
	int code;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	code = c->prepare == NULL ? EX_OK : c->prepare(tool);
	if (code != EX_OK) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return code;
	}
	code = run_in_cage(c, c->work, tool, &before);
	/* Whoever met a damaged page, or was killed, took nothing away. */
	if (code != EX_OK && c->tidy != NULL)
		(void)run_in_cage(c, c->tidy, tool, &before);
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
