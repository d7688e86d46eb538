/*
 * The values that stand in statements: each is checked by itself, and what is
 * wrong is reported at its place.
 */
#ifndef COMMON_CONFIG_VALUE_H
#define COMMON_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config_build.h"
#include "common/config_number.h"
#include "common/network.h"

/* A domain or an address literal, in lower case; NULL after reporting. */
char *build_domain(struct config_build *, const struct config_token *);
/* A network that is written with its host bits zero. */
bool build_network(
    struct config_build *, const struct config_token *, struct network *);
/* The canonical text of a single address; NULL if it is none, unreported. */
char *build_single_address(struct config_build *, const char *);
/* An absolute path of at most so many octets; NULL after reporting. */
char *build_path(struct config_build *, const struct config_token *, size_t);
/* A number within bounds; false after reporting. */
bool build_number(struct config_build *, const struct config_token *,
    enum number_unit, uint64_t least, uint64_t most, uint64_t *);
bool build_port(struct config_build *, const struct config_token *, uint16_t *);
/* The canonical text of an address; NULL after reporting. */
char *build_address(
    struct config_build *, const struct config_token *, unsigned int rules);

#endif
