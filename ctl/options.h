/*
 * The options of a command. All are long ones; they may stand before, between
 * and behind the words; "--" ends them.
 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include <stdbool.h>

#include "ctl/ctl.h"
#include "ctl/filter.h"

/* What a command understands. */
enum option_set {
	OPTIONS_JSON = 1 << 0,
	OPTIONS_FILTER = 1 << 1,
	OPTIONS_ACT = 1 << 2,
	OPTIONS_CONTENT = 1 << 3,
	OPTIONS_PAUSE = 1 << 5,
	OPTIONS_PROMETHEUS = 1 << 6,
	OPTIONS_TO = 1 << 7,
	OPTIONS_DESTINATION = 1 << 4, /* that one of the filter's alone */
};

/* How many there are. */
#define OPTIONS_MOST 16

struct options {
	struct filter filter;
	bool json;
	bool prometheus;
	bool dry_run;
	bool all;
	bool listening;
	bool content;
	const char *given[OPTIONS_MOST]; /* the value of each */
	const char *to;			 /* NULL: not given */
	char **words; /* what is not an option; in place of the arguments */
	int count;
};

/* Rearranges `words`. EX_OK, or EX_USAGE having said why. */
int options_parse(const struct command *, int count, char **words,
    struct options *) __attribute__((warn_unused_result));

/* "posternctl queue [--json] ..." */
void options_print_usage(const struct command *, FILE *);
/* The options that the command has, a line each. */
void options_print_help(const struct command *, FILE *);

#endif
