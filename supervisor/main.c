/*
 * postern: the supervisor. Starts the programs of the house as root, hands
 * them what they need, and stays to start them again when they die. It speaks
 * no mail and reads nothing from the network.
 */
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "supervisor/control.h"
#include "supervisor/daemon.h"
#include "supervisor/directories.h"
#include "supervisor/generation.h"
#include "supervisor/log_socket.h"
#include "supervisor/supervise.h"

#define ROUTER_USER "postern-router"

struct options {
	const char *config_path;
	bool check, foreground, verbose;
};

static void
usage(void)
{
	fprintf(stderr, "usage: postern [-fnv] [-c file]\n");
	exit(EX_USAGE);
}

/* Absolute, since we leave the working directory. Symbolic links stay, so
 * that a reload follows one that was changed. */
static const char *
absolute(const char *path)
{
	static char result[PATH_MAX];
	char here[PATH_MAX];
	int n;

	if (path[0] == '/')
		return path;
	if (getcwd(here, sizeof(here)) == NULL)
		log_fatal(EX_OSERR, "working directory");
	n = snprintf(result, sizeof(result), "%s/%s", here, path);
	if (n < 0 || (size_t)n >= sizeof(result))
		usage();
	return result;
}

static struct options
read_options(int argc, char **argv)
{
	struct options o = { .config_path = CONFIG_FILE };
	int c;

	while ((c = getopt(argc, argv, "c:fnv")) != -1) {
		if (c == 'c')
			o.config_path = optarg;
		else if (c == 'f')
			o.foreground = true;
		else if (c == 'n')
			o.check = true;
		else if (c == 'v')
			o.verbose = true;
		else
			usage();
	}
	if (optind != argc)
		usage();
	o.config_path = absolute(o.config_path);
	return o;
}

static struct settings *
load_or_exit(const char *path)
{
	struct settings *s = settings_load(path, stderr);

	if (s == NULL)
		exit(EX_CONFIG);
	return s;
}

/* It is the router that will read the tables: root could always. */
static void
look_as_router(void)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam(ROUTER_USER) : NULL;

	if (pw != NULL &&
	    (setgroups(0, NULL) == -1 || setgid(pw->pw_gid) == -1 ||
		setuid(pw->pw_uid) == -1))
		log_fatal(EX_OSERR, "become user \"%s\"", ROUTER_USER);
}

/* Without one of them postern runs, but mail that asks for it is deferred. */
static int
check_table_files(const struct config *config)
{
	int code = EX_OK;

	for (unsigned int i = 0; i < config->table_count; i++) {
		const struct table_config *t = &config->tables[i];

		if (t->kind != TABLE_FILE || access(t->path, R_OK) == 0)
			continue;
		fprintf(stderr, "postern: table \"%s\": %s: %s%s\n", t->name,
		    t->path, strerror(errno),
		    errno == EACCES ? "; " ROUTER_USER
				      " must be able to read it"
				    : "");
		code = EX_CONFIG;
	}
	return code;
}

/* postern -n */
static int
check(const struct options *o)
{
	struct settings *s = load_or_exit(o->config_path);
	int code;

	look_as_router();
	code = check_table_files(s->config);

	if (o->verbose)
		config_print(s->config, stdout);
	settings_free(&s);
	if (fflush(stdout) == EOF) {
		perror("postern");
		return EX_IOERR;
	}
	return code;
}

static void
stand_alone(void)
{
	if (geteuid() != 0) {
		errno = 0;
		log_fatal(EX_NOPERM, "must be started as root");
	}
	umask(077);
	if (chdir("/") == -1)
		log_fatal(EX_OSERR, "chdir");
	signal(SIGPIPE, SIG_IGN);
}

/* What can fail because of the configuration or the machine fails here, where
 * whoever typed the command still sees it. */
static void
prepare(struct house *house, const struct options *o)
{
	struct settings *s = load_or_exit(o->config_path);

	stand_alone();
	directories_make(s->config);
	directories_lock(s->config);
	control_open(house, s->config);
	if (!house->foreground && daemon_begin() == -1)
		log_fatal(EX_OSERR, "daemon");
	directories_sign();
	house->base = event_base_new();
	if (house->base == NULL)
		log_fatal(EX_OSERR, "event loop");
	if (generation_new(house, s, stderr) != NULL)
		return;
	/* Nobody is to be misled by a pid that soon is another's. */
	control_close();
	directories_unsign();
	exit(EX_UNAVAILABLE);
}

static void
start(struct house *house, const struct options *o)
{
	if (supervise_start(house) == -1 || control_start(house) == -1 ||
	    log_socket_start(house, o->verbose) == -1)
		log_fatal(EX_OSERR, "event loop");
	generation_start(TAILQ_FIRST(&house->generations), house);
	generation_join(TAILQ_FIRST(&house->generations), house);
}

int
main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct house house = { .config_path = o.config_path,
		.foreground = o.foreground };

	log_program(PROGRAM_SUPERVISOR);
	if (o.check)
		return check(&o);
	TAILQ_INIT(&house.processes);
	TAILQ_INIT(&house.generations);
	prepare(&house, &o);
	start(&house, &o);
	if (event_base_dispatch(house.base) == -1)
		log_error("event-loop-failed");
	control_close();
	directories_unsign();
	log_info("stopped");
	return EX_OK;
}
