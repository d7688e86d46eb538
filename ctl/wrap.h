/*
 * Text on a terminal, its lines broken between words and not within them.
 */
#ifndef CTL_WRAP_H
#define CTL_WRAP_H

#include <stdio.h>

#include "ctl/ctl.h"

/* What is written into `wrap.ctl.out` is printed by wrap_end(): as it is if
 * nobody looks at it or the width is not known, else in lines of that width,
 * whose continuations begin in column `hang`. A word that is longer than a
 * line is left to the terminal, so that it can be copied whole. */
struct wrap {
	struct ctl ctl; /* a copy, which writes elsewhere */
	FILE *out;	/* NULL: it writes there itself */
	char *text;
	size_t length;
};

void wrap_begin(struct wrap *, const struct ctl *);
/* The same, but as wide as most terminals are if nobody looks at it: what is
 * kept of it is for people. */
void wrap_begin_always(struct wrap *, const struct ctl *);
void wrap_end(struct wrap *, unsigned int hang);

/* For a `width` of more than `hang`. The text is what format.h has made
 * printable, and our own colours. */
void wrap_print(
    FILE *, const char *text, unsigned int width, unsigned int hang);

#endif
