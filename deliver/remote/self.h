/*
 * Who we are, so that mail is never delivered to ourselves: the name that we
 * greet with, and every address and port that this host listens on.
 */
#ifndef REMOTE_SELF_H
#define REMOTE_SELF_H

#include <stdbool.h>

#include "common/config.h"
#include "deliver/remote/endpoint.h"

/* Reads the addresses of the interfaces; before the sandbox. Exits if it
 * cannot. Lends the configuration. */
void self_init(const struct config *);

const char *self_hostname(void);
bool self_is_name(const char *);
/* Would a connection there reach one of our listeners? */
bool self_is_endpoint(const struct endpoint *);

#endif
