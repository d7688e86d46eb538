/*
 * Reading a configuration: one file, parsed by one grammar
 * (config_grammar.y), in the supervisor to check it and again in each program
 * from a sealed copy.
 */
#ifndef COMMON_CONFIG_LOAD_H
#define COMMON_CONFIG_LOAD_H

#include <stddef.h>
#include <stdio.h>

#include "common/config.h"

/* Parses `text` (of `length` octets, no NUL needed). On error prints
 * everything that is wrong to `errors`: file, line, column, the line with a
 * caret, the nearest word; and returns NULL. Also checks that every name that
 * is used is defined and that every rule can be reached. */
struct config *config_parse(const char *path, const char *text, size_t length,
    FILE *errors) __attribute__((warn_unused_result));
/* Reads and parses a file. */
struct config *config_load(const char *path, FILE *errors)
    __attribute__((warn_unused_result));
/* Reads and parses what the descriptor holds, from its start; `path` is for
 * the messages. Lends the descriptor. */
struct config *config_load_fd(int fd, const char *path, FILE *errors)
    __attribute__((warn_unused_result));

#endif
