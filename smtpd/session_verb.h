/*
 * The commands of a session: which one is legal when, and what each does.
 */
#ifndef SMTPD_SESSION_VERB_H
#define SMTPD_SESSION_VERB_H

#include <stdbool.h>

#include "smtpd/command.h"

struct session;

/* Carries out a command. False if it must wait for the router: nothing has
 * happened then. `more`: something is in the input behind it. */
bool session_command(struct session *, const struct command *, bool more);

#endif
