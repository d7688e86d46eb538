/*
 * The word that was probably meant.
 */
#ifndef CTL_NEAREST_H
#define CTL_NEAREST_H

#include <stddef.h>

/* Insertions, deletions, replacements and swaps of neighbours that turn one
 * word into the other. Words longer than a command line's are "far". */
unsigned int nearest_distance(const char *, const char *);

/* Keeps in `best` whichever of it and `candidate` is nearer to `word`; NULL
 * stays if the candidate is nothing like it. */
void nearest_consider(
    const char *word, const char *candidate, const char **best);

#endif
