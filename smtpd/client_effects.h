/*
 * What a session wants done, done for a client: replies to its socket, the
 * transaction to the router, the content to memory.
 */
#ifndef SMTPD_CLIENT_EFFECTS_H
#define SMTPD_CLIENT_EFFECTS_H

#include "smtpd/session_effects.h"

/* The context is the struct client. */
extern const struct session_effects client_effects;

#endif
