/*
 * What to suggest for a word that is not understood.
 */
#ifndef COMMON_CONFIG_WORDS_H
#define COMMON_CONFIG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* How many letters must be changed, added, left out or exchanged with their
 * neighbour to make one of the other; at most `most` + 1 is returned. Only for
 * words of up to LIMIT_NAME letters: longer ones are never near. */
size_t words_distance(const char *, const char *, size_t most);

/* The nearest word so far. */
struct nearest_word {
	const char *wanted;
	const char *best; /* NULL: none is near enough */
	size_t distance;
};

void nearest_word_start(struct nearest_word *, const char *wanted);
void nearest_word_try(struct nearest_word *, const char *candidate);

/* A word of the whole language that this version does not know yet: what to
 * tell its user. NULL for any other word. */
const char *later_word_advice(const char *);
/* Does that word begin a statement? */
bool later_word_starts_statement(const char *);

#endif
