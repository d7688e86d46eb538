/*
 * posternctl: the administrator's tool. It asks the running queue and the
 * supervisor over their control sockets; it needs no privilege but to open
 * those, and never touches the store itself.
 */
#include <sys/ioctl.h>

#include <errno.h>
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
	{ "trace", "ID|ADDRESS",
	    "tell the whole life of a message, also after it is gone",
	    OPTIONS_JSON, trace_run, 0 },
	{ "stats", "", "print the queue's counters", OPTIONS_JSON, stats_run,
	    0 },
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
	{ "bounce", IDS, "give up, and tell the sender so",
	    OPTIONS_ACT | OPTIONS_FILTER | OPTIONS_JSON, act_run,
	    CTL_VERB_BOUNCE },
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
		fprintf(out, "  %-7s %-12s %s\n", commands[i].name,
		    commands[i].arguments, commands[i].summary);
	fputs(
	    "\n\"posternctl help COMMAND\" tells its options. -c FILE names "
	    "the configuration that\npostern runs with, by default " CONFIG_FILE
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
	else if (file != NULL)
		return EX_CONFIG;
	else
		fprintf(stderr, "posternctl: looking in %s instead\n", *run);
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

int
main(int argc, char **argv)
{
	const struct command *command;
	const char *file = NULL;
	int option, code;

	setlocale(LC_CTYPE, "");
	while ((option = getopt(argc, argv, "+c:h")) != -1) {
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
	if (command->run == NULL)
		code = help(argc, argv);
	else
		code = run_command(command, file, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("posternctl: standard output");
		return code != EX_OK ? code : EX_IOERR;
	}
	return code;
}
