/*
 * The text of a configuration while it is read, and how its errors are told:
 *
 *     FILE:LINE:COLUMN: what is wrong
 *         the line
 *         ^
 *
 * At most CONFIG_ERRORS_SHOWN are printed; all are counted.
 */
#ifndef COMMON_CONFIG_SOURCE_H
#define COMMON_CONFIG_SOURCE_H

#include <stddef.h>
#include <stdio.h>

#define CONFIG_ERRORS_SHOWN 20

struct config_source {
	const char *path;
	const char *text;
	size_t length;
	FILE *errors; /* NULL: say nothing */
	unsigned int error_count;
};

/* An error at that octet of the text. */
void source_error(struct config_source *, size_t offset, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* An error that has no place in the text. */
void source_error_whole(struct config_source *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same, but the configuration stays good. */
void source_warn_whole(struct config_source *, const char *message);

#endif
