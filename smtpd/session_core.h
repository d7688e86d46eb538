/*
 * The inside of a session, and the few steps of which all that it does is
 * made: each change of state, each reply and each end of a transaction passes
 * through here. For the files of the session alone.
 */
#ifndef SMTPD_SESSION_CORE_H
#define SMTPD_SESSION_CORE_H

#include <stdbool.h>

#include "smtpd/data.h"
#include "smtpd/session_effects.h"
#include "smtpd/session_state.h"

/* What is thrown away up to the next CRLF. */
enum session_discard {
	DISCARD_NOTHING,
	DISCARD_ANSWERED, /* the reply is given already */
	DISCARD_LONG,	  /* reply when its end has come */
};

struct session {
	const struct session_rules *rules;
	const struct session_effects *effects;
	void *context;
	enum session_state state;
	bool esmtp;
	bool draining;
	enum session_discard discard;
	bool discard_cr; /* the last octet thrown away was a CR */
	unsigned int commands, messages, errors, refused, junk;
	char *helo;
	struct transaction *transaction;
	struct data data;
};

/* The one place where the state changes. */
void session_set_state(struct session *, enum session_state);
void session_reply(struct session *, unsigned int code, const char *text);
/* A reply that says no, counted against the client. */
void session_refuse(struct session *, unsigned int code, const char *text);
/* The last reply of the session. */
void session_close(struct session *, unsigned int code, const char *text);
/* The router hears no more of the transaction, if there is one. */
void session_part_from_router(struct session *, enum session_end);
/* The one place where a transaction ends: back to SESSION_READY. */
void session_end_transaction(struct session *, enum session_end);
/* Recipients that the router has not answered. */
unsigned int session_pending(const struct session *);

#endif
