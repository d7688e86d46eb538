/*
 * Who exists, who may speak with whom, and who ends before whom: data, and
 * the questions that are asked of it.
 */
#ifndef SUPERVISOR_PROGRAMS_H
#define SUPERVISOR_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/program.h"

struct program_spec {
	enum program program;
	bool workers; /* as many as the configuration says; otherwise one */
	/* Outlives reloads and takes the new configuration while it runs; the
	 * others are started anew, each set with its own configuration. */
	bool lasting;
	/* Strangers reach it: it starts when all the others are ready. */
	bool front;
	/* The programs that give this one its work: it drains when they are
	 * gone. */
	unsigned int after;
	/* When the house shuts down: the latest end, in milliseconds. */
	int end_by;
};

/* The list, and its length. */
const struct program_spec *programs_list(size_t *count);
/* NULL if it is not a child of the supervisor. */
const struct program_spec *programs_find(enum program);
bool programs_are_linked(enum program, enum program);
/* The inner end of a link is the one further from strangers: of the two it
 * alone may ask for a new one (relink.h). */
bool programs_are_outer_and_inner(enum program outer, enum program inner);
unsigned int programs_workers(
    const struct program_spec *, const struct config *);

/* The path of a program's binary: beside our own if all of them are there (a
 * build tree), else in ../libexec/postern from there (a tree that was installed
 * and then moved), else in LIBEXECDIR. Good until the next call. */
const char *programs_path(enum program);

#endif
