/*
 * A paragraph for people: words that are put on as many lines as they need, so
 * that none is longer than the terminal is wide, unless one word alone is. Text
 * from outside is shown as format_print() shows it.
 */
#ifndef CTL_FOLD_H
#define CTL_FOLD_H

#include <stdbool.h>
#include <stdio.h>

/* What is no terminal is as wide as most are. */
#define FOLD_WIDTH 80

struct fold {
	FILE *out;
	unsigned int width;
	unsigned int indent; /* of all lines but the first */
	unsigned int column;
	bool fresh; /* the line has only its indent */
};

/* `column`: where the paragraph begins; that far the line is written. */
void fold_begin(struct fold *, FILE *, unsigned int width, unsigned int indent,
    unsigned int column);
/* One thing that is not taken apart, whatever is in it. */
void fold_word(struct fold *, const char *word);
void fold_format(struct fold *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Things that are parted by spaces. */
void fold_words(struct fold *, const char *text);
/* Ends the paragraph. */
void fold_end(struct fold *);

#endif
