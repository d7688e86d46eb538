#include "common/program.h"

static const struct {
	enum program program;
	const char *name;
} programs[] = {
	{ PROGRAM_SUPERVISOR, "postern" },
	{ PROGRAM_SMTPD, "smtpd" },
	{ PROGRAM_ROUTER, "router" },
	{ PROGRAM_QUEUE, "queue" },
	{ PROGRAM_RESOLVER, "resolver" },
	{ PROGRAM_REMOTE, "remote" },
	{ PROGRAM_SPAWN, "spawn" },
	{ PROGRAM_LOCAL, "local" },
	{ PROGRAM_CTL, "posternctl" },
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

const char *
program_name(enum program program)
{
	for (unsigned int i = 0; i < PROGRAMS; i++)
		if (programs[i].program == program)
			return programs[i].name;
	return "unknown";
}

enum program
program_from_number(unsigned int number)
{
	for (unsigned int i = 0; i < PROGRAMS; i++)
		if ((unsigned int)programs[i].program == number)
			return programs[i].program;
	return PROGRAM_NONE;
}
