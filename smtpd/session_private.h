/*
 * What session.c (the events) and session_verb.c (a handler for each command)
 * share.
 */
#ifndef SMTPD_SESSION_PRIVATE_H
#define SMTPD_SESSION_PRIVATE_H

#include "smtpd/command.h"
#include "smtpd/data.h"
#include "smtpd/session.h"

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
	bool opened; /* the router knows the transaction */
	enum session_discard discard;
	bool discard_cr; /* the last octet thrown away was a CR */
	unsigned int commands, errors, refused, junk;
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
/* The one place where a transaction ends: back to SESSION_READY. */
void session_end_transaction(struct session *, enum session_end);
/* Recipients that the router has not answered. */
unsigned int session_pending(const struct session *);

/* Carries out a command. False if it must wait for the router: nothing has
 * happened then. `more`: something is in the input behind it. */
bool session_command(struct session *, const struct command *, bool more);

#endif
