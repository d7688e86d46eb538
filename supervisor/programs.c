#include "supervisor/programs.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

static const struct program_spec programs[] = {
	/* The store first, so that it is there when mail comes. When it drains
	 * it hands out no more and still takes what the router has. */
	{ .program = PROGRAM_QUEUE, .lasting = true, .end_by = 4000 },
	{ .program = PROGRAM_RESOLVER,
	    .end_by = 4400,
	    .after = PROGRAM_SMTPD | PROGRAM_ROUTER | PROGRAM_REMOTE },
	{ .program = PROGRAM_SPAWN, .end_by = 4200, .after = PROGRAM_QUEUE },
	{ .program = PROGRAM_REMOTE, .end_by = 4200, .after = PROGRAM_QUEUE },
	{ .program = PROGRAM_ROUTER, .end_by = 2400, .after = PROGRAM_SMTPD },
	{ .program = PROGRAM_SMTPD,
	    .end_by = 1500,
	    .workers = true,
	    .front = true },
};

static const struct {
	enum program outer, inner;
} links[] = {
	/* the one line through the house */
	{ PROGRAM_SMTPD, PROGRAM_ROUTER },
	{ PROGRAM_ROUTER, PROGRAM_QUEUE },
	{ PROGRAM_SPAWN, PROGRAM_QUEUE },
	{ PROGRAM_REMOTE, PROGRAM_QUEUE },
	/* questions */
	{ PROGRAM_SMTPD, PROGRAM_RESOLVER },
	{ PROGRAM_ROUTER, PROGRAM_RESOLVER },
	{ PROGRAM_REMOTE, PROGRAM_RESOLVER },
};

const struct program_spec *
programs_list(size_t *count)
{
	*count = LENGTH(programs);
	return programs;
}

const struct program_spec *
programs_find(enum program program)
{
	for (size_t i = 0; i < LENGTH(programs); i++)
		if (programs[i].program == program)
			return &programs[i];
	return NULL;
}

bool
programs_are_linked(enum program a, enum program b)
{
	for (size_t i = 0; i < LENGTH(links); i++)
		if ((links[i].outer == a && links[i].inner == b) ||
		    (links[i].outer == b && links[i].inner == a))
			return true;
	return false;
}

bool
programs_are_outer_and_inner(enum program outer, enum program inner)
{
	for (size_t i = 0; i < LENGTH(links); i++)
		if (links[i].outer == outer && links[i].inner == inner)
			return true;
	return false;
}

unsigned int
programs_workers(const struct program_spec *spec, const struct config *config)
{
	long wanted = 1;

	if (spec->workers)
		wanted = config->limit_workers != 0
			     ? (long)config->limit_workers
			     : sysconf(_SC_NPROCESSORS_ONLN);
	if (wanted < 1)
		wanted = 1;
	return wanted > LIMIT_WORKERS ? LIMIT_WORKERS : (unsigned int)wanted;
}

static bool
all_are_in(const char *directory)
{
	char path[PATH_MAX + 64];

	for (size_t i = 0; i < LENGTH(programs); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory,
		    program_name(programs[i].program));
		if (access(path, X_OK) == -1)
			return false;
	}
	return true;
}

/* The folder of our own binary; empty if it cannot be known. */
static void
find_own_directory(char *directory, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", directory, size - 1);
	char *slash;

	directory[n > 0 ? n : 0] = '\0';
	slash = strrchr(directory, '/');
	if (slash != NULL)
		*slash = '\0';
}

/* All of them must be there: other mail servers have an smtpd in /usr/sbin,
 * too. Found once, so that an upgrade does not change it. */
static const char *
find_directory(void)
{
	static char directory[PATH_MAX + 32];
	char own[PATH_MAX];

	if (directory[0] != '\0')
		return directory;
	find_own_directory(own, sizeof(own));
	snprintf(directory, sizeof(directory), "%s", own);
	if (all_are_in(directory))
		return directory;
	snprintf(directory, sizeof(directory), "%s/../libexec/postern", own);
	if (!all_are_in(directory))
		snprintf(directory, sizeof(directory), "%s", LIBEXECDIR);
	return directory;
}

const char *
programs_path(enum program program)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", find_directory(),
	    program_name(program));
	return path;
}
