/*
 * The one sanitiser for text that came from outside and that a person will
 * read in a log line or a terminal.
 */
#ifndef COMMON_PRINTABLE_H
#define COMMON_PRINTABLE_H

#include <stddef.h>

/* Copies `text` so that every octet outside printable ASCII, and each quote
 * and backslash, is written as \xHH. CR LF pairs become " / ", so that a
 * multi-line reply stays readable on one line. Truncates to `size`, which
 * counts the NUL. */
void printable_copy(char *to, size_t size, const char *text);

#endif
