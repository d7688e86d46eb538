/*
 * What a session and its owner agree on: the bounds, the rules, and the
 * effects. The owner carries these out at once; they may not call back into
 * the session.
 */
#ifndef SMTPD_SESSION_EFFECTS_H
#define SMTPD_SESSION_EFFECTS_H

#include <stddef.h>
#include <stdint.h>

#include "smtpd/transaction.h"

/* RCPTs of one session that may wait for the router's verdict. */
#define SESSION_PENDING 8
/* Errors of a client, by which time it is not a mail client or not ours. */
#define SESSION_ERRORS 20
/* Recipients refused by the router: somebody guesses addresses. */
#define SESSION_REFUSED 100
/* Commands that carry no mail forward, between two messages. */
#define SESSION_JUNK 100

/* Why a transaction that the router knew has ended. */
enum session_end {
	SESSION_END_OUTCOME, /* the router has answered the content */
	SESSION_END_LOST,    /* the link to the router broke */
	/* These the router is told of (ABANDON carries the number). */
	SESSION_END_RESET,   /* RSET, EHLO, QUIT or a DATA without success */
	SESSION_END_GONE,    /* the client is gone */
	SESSION_END_CONTENT, /* the content was refused here */
	SESSION_END_TIMEOUT,
	SESSION_ENDS
};

struct session_rules {
	const char *hostname;
	uint64_t size;		 /* of a message */
	unsigned int recipients; /* of a transaction */
};

struct session_effects {
	/* The lines of the text are separated by CRLF. */
	void (*reply)(void *, unsigned int code, const char *text);
	/* The reply was a refusal of our own: for the log. */
	void (*refused)(void *, unsigned int code, const char *text);
	/* Opens the transaction at a router. -1 if there is none now. */
	int (*open)(void *, const struct transaction *);
	/* Asks for a verdict. If the link breaks now, session_router_lost()
	 * is called soon. */
	void (*recipient)(
	    void *, uint32_t number, const struct transaction_recipient *);
	/* Begins, extends and sends the content. -1 if there is no room, or
	 * the router is gone. */
	int (*content_begin)(void *, const struct transaction *);
	int (*content_add)(void *, const uint8_t *, size_t);
	int (*content_send)(void *, unsigned int hops);
	/* Exactly once for each `open` that returned 0. Frees all that
	 * belongs to the transaction. */
	void (*end)(void *, enum session_end);
	/* Nothing more will be said: close when the replies are sent. */
	void (*close)(void *);
};

#endif
