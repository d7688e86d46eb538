/*
 * posternctl: the administrator's tool. It asks the running queue and the
 * supervisor over their control sockets; it needs no privilege but to open
 * those, and never touches the store itself.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/config.h"
#include "common/config_load.h"
#include "common/mail.h"
#include "ctl/ctl.h"
#include "ctl/nearest.h"
#include "ctl/options.h"

#define DEFAULT_RUN "/run/postern"
#define IDS "ID...|FILTER"

static const struct command commands[] = {
	{ "queue", "", "list what waits, a line for each recipient",
	    OPTIONS_FILTER | OPTIONS_JSON, list_run, 0 },
	{ "show", "ID", "show a message: envelope, headers and content",
	    OPTIONS_CONTENT | OPTIONS_JSON, show_run, 0 },
	{ "why", "ID", "say what a message waits for", OPTIONS_JSON, why_run,
	    0 },
	{ "trace", "ID|ADDRESS", "tell a message's life, also after it is gone",
	    OPTIONS_JSON, trace_run, 0 },
	{ "summary", "", "count what waits by destination and reason",
	    OPTIONS_FILTER | OPTIONS_JSON, summary_run, 0 },
	{ "destinations", "", "list where mail waits, and how each fares",
	    OPTIONS_DESTINATION | OPTIONS_JSON, destinations_run, 0 },
	{ "stats", "", "print the queue's counters",
	    OPTIONS_JSON | OPTIONS_PROMETHEUS, stats_run, 0 },
	{ "top", "", "watch the queue; q quits", 0, top_run, 0 },
	{ "retry", IDS, "try again now",
	    OPTIONS_ACT | OPTIONS_FILTER | OPTIONS_JSON, act_run,
	    CTL_VERB_RETRY },
	{ "hold", IDS, "keep from being tried until released",
	    OPTIONS_ACT | OPTIONS_FILTER | OPTIONS_JSON, act_run,
	    CTL_VERB_HOLD },
	{ "release", IDS, "let go what was held",
	    OPTIONS_ACT | OPTIONS_FILTER | OPTIONS_JSON, act_run,
	    CTL_VERB_RELEASE },
	{ "remove", IDS, "delete from the queue, without a bounce",
	    OPTIONS_ACT | OPTIONS_FILTER | OPTIONS_JSON, act_run,
	    CTL_VERB_REMOVE },
	{ "pause", "DESTINATION...", "deliver nothing there until resumed",
	    OPTIONS_PAUSE | OPTIONS_JSON, pause_run, 0 },
	{ "resume", "DESTINATION...", "deliver again what was paused",
	    OPTIONS_PAUSE | OPTIONS_JSON, pause_run, 1 },
	{ "bounce", IDS, "give up, and tell the sender so",
	    OPTIONS_ACT | OPTIONS_FILTER | OPTIONS_JSON, act_run,
	    CTL_VERB_BOUNCE },
	{ "redirect", IDS, "send to another address instead",
	    OPTIONS_TO | OPTIONS_ACT | OPTIONS_FILTER | OPTIONS_JSON, act_run,
	    CTL_VERB_REDIRECT },
	{ "reload", "", "make postern read its configuration again", 0,
	    reload_run, 0 },
	{ "help", "[COMMAND]", "explain a command", 0, NULL, 0 },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
say_no_such_command(const char *name)
{
	const char *best = NULL;

	for (size_t i = 0; i < COMMANDS; i++)
		nearest_consider(name, commands[i].name, &best);
	fprintf(stderr, "posternctl: there is no command \"%s\"; ", name);
	if (best != NULL)
		fprintf(stderr, "did you mean \"%s\"?\n", best);
	else
		fputs("\"posternctl help\" lists them\n", stderr);
	return EX_USAGE;
}

static void
print_commands(FILE *out)
{
	fputs("usage: posternctl [-c FILE] COMMAND [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-12s %-14s %s\n", commands[i].name,
		    commands[i].arguments, commands[i].summary);
	fputs(
	    "\n\"posternctl help COMMAND\" tells its options. -c FILE names "
	    "the configuration\nthat postern runs with, by default " CONFIG_FILE
	    ".\n",
	    out);
}

static int
help(int count, char **words)
{
	const struct command *c;

	if (count == 0) {
		print_commands(stdout);
		return EX_OK;
	}
	c = find_command(words[0]);
	if (c == NULL)
		return say_no_such_command(words[0]);
	options_print_usage(c, stdout);
	printf("\n%s: %s\n", c->name, c->summary);
	if (c->options != 0)
		fputc('\n', stdout);
	options_print_help(c, stdout);
	return EX_OK;
}

static bool
asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* What a file with mistakes still says about `run`, or the default: a queue
 * that runs can be asked although its file has just been broken. */
static const char *
salvage_run(const char *file)
{
	static char run[256];
	char line[1024];
	FILE *f = fopen(file, "re");
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, " run \"%255[^\"\\]\"", run) == 1 &&
			run[0] == '/';
	if (f != NULL)
		fclose(f);
	return found ? run : DEFAULT_RUN;
}

/* Where the sockets are. The configuration need not be readable for everyone
 * who may use them, unless it was asked for by name. */
static int
find_run(const char *file, struct config **config, const char **run)
{
	*run = DEFAULT_RUN;
	if (access(file != NULL ? file : CONFIG_FILE, R_OK) == -1) {
		if (file == NULL)
			return EX_OK;
		fprintf(stderr, "posternctl: %s: %s\n", file, strerror(errno));
		return errno == EACCES ? EX_NOPERM : EX_NOINPUT;
	}
	*config = config_load(file != NULL ? file : CONFIG_FILE, stderr);
	if (*config != NULL)
		*run = (*config)->run;
	else {
		*run = salvage_run(file != NULL ? file : CONFIG_FILE);
		fprintf(stderr, "posternctl: looking in %s instead\n", *run);
	}
	return EX_OK;
}

static void
look_at_output(struct ctl *ctl)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size;

	ctl->out = stdout;
	ctl->terminal = isatty(STDOUT_FILENO) == 1;
	ctl->colour = ctl->terminal &&
		      (no_colour == NULL || no_colour[0] == '\0') &&
		      term != NULL && strcmp(term, "dumb") != 0;
	ctl->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (ctl->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		ctl->width = size.ws_col;
	ctl->now = time(NULL);
}

static int
run_command(const struct command *c, const char *file, int count, char **words)
{
	struct config *config = NULL;
	struct ctl ctl = { 0 };
	int code = find_run(file, &config, &ctl.run);

	if (code == EX_OK) {
		look_at_output(&ctl);
		code = c->run(&ctl, c, count, words);
	}
	config_free(&config);
	return code;
}

/* What could not be written is not a success. */
static int
finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	perror("posternctl: standard output");
	return code != EX_OK ? code : EX_IOERR;
}

/* As mailq(8), which other software calls without knowing whose it is. */
static bool
is_mailq(const char *name)
{
	const char *slash = strrchr(name, '/');

	return strcmp(slash != NULL ? slash + 1 : name, "mailq") == 0;
}

/* Only what names another configuration is ours. */
static int
mailq(int argc, char **argv)
{
	static const struct command command = {
		.name = "mailq",
		.run = mailq_run,
	};
	const char *file = NULL;
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "+c:")) != -1)
		if (option == 'c')
			file = optarg;
	return finish(run_command(&command, file, 0, NULL));
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const struct command *command;
	const char *file = NULL;
	int option, code;

	setlocale(LC_CTYPE, "");
	if (argc > 0 && is_mailq(argv[0]))
		return mailq(argc, argv);
	while (
	    (option = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		if (option == 'c')
			file = optarg;
		else {
			print_commands(option == 'h' ? stdout : stderr);
			return option == 'h' ? EX_OK : EX_USAGE;
		}
	}
	if (optind >= argc) {
		print_commands(stderr);
		return EX_USAGE;
	}
	command = find_command(argv[optind]);
	argc -= optind + 1;
	argv += optind + 1;
	if (command == NULL)
		return say_no_such_command(argv[-1]);
	if (argc > 0 && asks_for_help(argv[0]))
		code = help(1, argv - 1);
	else if (command->run == NULL)
		code = help(argc, argv);
	else
		code = run_command(command, file, argc, argv);
	return finish(code);
}
