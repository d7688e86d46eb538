/*
 * What the statements of a configuration must fulfil together: every name is
 * defined, every rule can be reached, nothing is an open relay.
 */
#ifndef COMMON_CONFIG_CHECK_H
#define COMMON_CONFIG_CHECK_H

#include "common/config_build.h"

/* Only for a configuration that was parsed without an error. Reports what is
 * wrong, and sets what has a default. */
void config_check(struct config_build *);

#endif
