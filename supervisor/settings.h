/*
 * One reading of the configuration file: the text, sealed in a memfd, and
 * what it means. The programs get the very octets that were checked here.
 */
#ifndef SUPERVISOR_SETTINGS_H
#define SUPERVISOR_SETTINGS_H

#include <stdio.h>

#include "common/config.h"

struct settings {
	struct config *config;
	int fd; /* sealed */
};

/* NULL if it cannot be read or is wrong; `errors` then says why. */
struct settings *settings_load(const char *path, FILE *errors)
    __attribute__((warn_unused_result));
void settings_free(struct settings **);

#endif
