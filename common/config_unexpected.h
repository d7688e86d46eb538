/*
 * Where the grammar cannot go on: what to say, and how to go on after it.
 */
#ifndef COMMON_CONFIG_UNEXPECTED_H
#define COMMON_CONFIG_UNEXPECTED_H

#include <stdbool.h>

#include "common/config_build.h"

/* Reports that the token read last is not one of those, by their names. */
void build_unexpected(struct config_build *, const char *const *expected);

/* After an error: true if the token read last begins a new statement and is
 * to be parsed again; otherwise it is to be left out, with all that follows
 * up to a new statement. */
bool build_recover(struct config_build *);

#endif
