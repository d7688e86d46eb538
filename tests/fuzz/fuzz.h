/*
 * What every fuzz target includes. CHECK stops on a broken promise in any
 * build, also where NDEBUG is set.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                        \
	do {                                                               \
		if (!(what)) {                                             \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, \
			    __LINE__, #what);                              \
			abort();                                           \
		}                                                          \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as text, to be freed: an exact copy and a NUL. NULL if it holds
 * a NUL itself. */
static inline char *
fuzz_text(const uint8_t *data, size_t size)
{
	char *text;

	if (size > 0 && memchr(data, '\0', size) != NULL)
		return NULL;
	text = malloc(size + 1);
	CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif
