/*
 * The inside of a client: for client.c (the connection) and client_effects.c
 * (what the session wants done) alone.
 */
#ifndef SMTPD_CLIENT_CORE_H
#define SMTPD_CLIENT_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"
#include "smtpd/client_service.h"
#include "smtpd/intake.h"
#include "smtpd/link_resolver.h"
#include "smtpd/link_router.h"
#include "smtpd/opening.h"
#include "smtpd/patience.h"
#include "smtpd/session.h"

struct bufferevent;

struct client {
	const struct client_service *service;
	unsigned int slot;
	uint32_t listener;
	struct bufferevent *stream;
	struct session *session;
	struct router_exchange exchange;
	struct intake *intake;
	struct opening opening; /* of the content */
	struct lookup *lookup;	/* of the name; NULL if it is not looked up */
	char *name;		/* NULL while it is not known */
	char address[LIMIT_ADDRESS_TEXT + 1];
	unsigned int last_code; /* of the replies */
	bool half_closed;	/* it has said its last word */
	bool closing;		/* the session has ended */
	bool broken;		/* a reply is lost */
	bool lingering;		/* all is said; wait for the client to close */

	struct patience patience;
};

#endif
