/*
 * What all clients are given by whoever keeps them.
 */
#ifndef SMTPD_CLIENT_SERVICE_H
#define SMTPD_CLIENT_SERVICE_H

#include "smtpd/session_effects.h"

struct event_base;

struct client_service {
	struct event_base *base;
	struct session_rules rules;
	/* The client in that slot is no more. */
	void (*gone)(unsigned int slot);
};

#endif
