/*
 * What the commands of posternctl share: where to ask, and how to print.
 *
 * A command gets its words (without its name) and returns an exit code of
 * sysexits(3). It writes answers to `out` and everything else to standard
 * error. Text from mail goes through print_text() or the JSON writer, never
 * straight to `out`.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

struct ctl {
	const char *run; /* the directory of the control sockets */
	FILE *out;
	bool terminal; /* a person looks at `out` */
	bool colour;
	bool utf8;	    /* `out` shows UTF-8 */
	unsigned int width; /* columns; 0 if unknown */
	time_t now;
};

struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	unsigned int options; /* set of enum option_set */
	int (*run)(
	    struct ctl *, const struct command *, int count, char **words);
	/* Of act_run: enum ctl_verb; of pause_run: 1 to resume. */
	unsigned int verb;
};

int list_run(struct ctl *, const struct command *, int, char **);
int mailq_run(struct ctl *, const struct command *, int, char **);
int show_run(struct ctl *, const struct command *, int, char **);
int why_run(struct ctl *, const struct command *, int, char **);
int trace_run(struct ctl *, const struct command *, int, char **);
int summary_run(struct ctl *, const struct command *, int, char **);
int destinations_run(struct ctl *, const struct command *, int, char **);
int stats_run(struct ctl *, const struct command *, int, char **);
int top_run(struct ctl *, const struct command *, int, char **);
int pause_run(struct ctl *, const struct command *, int, char **);
int act_run(struct ctl *, const struct command *, int, char **);
int reload_run(struct ctl *, const struct command *, int, char **);

#endif
