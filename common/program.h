/*
 * The programs of the house. A program's number is one bit, so that the
 * message table can say "from any of these".
 */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

enum program {
	PROGRAM_NONE = 0,
	PROGRAM_SUPERVISOR = 1 << 0,
	PROGRAM_SMTPD = 1 << 1,
	PROGRAM_ROUTER = 1 << 2,
	PROGRAM_QUEUE = 1 << 3,
	PROGRAM_RESOLVER = 1 << 4,
	PROGRAM_REMOTE = 1 << 5,
	PROGRAM_SPAWN = 1 << 6,
	PROGRAM_LOCAL = 1 << 7,
	PROGRAM_CTL = 1 << 8,
};

/* The name used in the log, in `ps` and as the file name of the binary. */
const char *program_name(enum program);

/* The reverse; PROGRAM_NONE for a number that is no single program. */
enum program program_from_number(unsigned int);

#endif
