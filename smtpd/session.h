/*
 * One SMTP session (RFC 5321) as a state machine without I/O: octets from the
 * client and answers from the router go in, replies and effects come out.
 *
 * Every command gets exactly one reply, in the order of the commands. RCPTs
 * that are pipelined go to the router without waiting for one another; any
 * other command waits until all of them are answered, and so does everything
 * behind the end of data until the router's outcome is known.
 *
 * The effects are carried out at once by whoever owns the session; they may
 * not call back into it.
 */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/mail.h"

/* RCPTs of one session that may wait for the router's verdict. */
#define SESSION_PENDING 8
/* Errors of a client, by which time it is not a mail client or not ours. */
#define SESSION_ERRORS 20
/* Recipients refused by the router: somebody guesses addresses. */
#define SESSION_REFUSED 100
/* Commands that carry no mail forward, between two messages. */
#define SESSION_JUNK 100

struct session;

enum session_state {
	SESSION_NEW,	 /* before the greeting */
	SESSION_GREETED, /* no EHLO or HELO yet */
	SESSION_READY,	 /* no transaction */
	SESSION_MAIL,	 /* MAIL accepted; the router knows nothing of it */
	SESSION_RCPT,	 /* the router has it and was asked for recipients */
	SESSION_DATA,	 /* the content comes in */
	SESSION_OUTCOME, /* the router has the content */
	SESSION_ENDED,	 /* the last reply is given */
	SESSION_STATES
};

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

/* Whose move it is, so that the owner knows which time limit is running. */
enum session_turn {
	SESSION_TURN_COMMAND,
	SESSION_TURN_DATA,
	SESSION_TURN_ROUTER,
	SESSION_TURN_NOBODY /* ended */
};

struct transaction {
	char *sender; /* canonical; "" for the null reverse-path */
	enum smtp_body body;
	uint64_t declared_size;
	uint32_t asked;	   /* RECIPIENTs sent to the router */
	uint32_t answered; /* its VERDICTs */
	uint32_t accepted;
	char first[LIMIT_PATH + 1]; /* the first recipient asked for */
	uint64_t id;		    /* 0 until a recipient is accepted */
	bool lost;		    /* the router is gone, and what it knew */
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
	void (*recipient)(void *, uint32_t number, const char *address);
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

/* Lends the rules and effects. NULL with errno. */
struct session *session_new(
    const struct session_rules *, const struct session_effects *, void *context)
    __attribute__((warn_unused_result));
/* Ends a transaction in hand, without a reply; accepts none. */
void session_free(struct session **);

/* The connection is there. `spoke`: the client did not wait for us. */
void session_start(struct session *, bool spoke);
/* Takes what it can of the input; returns how many octets it consumed. What
 * is left must be offered again, with what comes after it: when more comes,
 * and after each event below. It is always less than LIMIT_COMMAND_LINE if it
 * is the client's turn. */
size_t session_input(struct session *, const uint8_t *, size_t length);

/* What the router says. -1 if it may not say that now. */
int session_verdict(struct session *, uint32_t number, uint64_t id,
    unsigned int code, const char *text) __attribute__((warn_unused_result));
int session_outcome(struct session *, unsigned int code, const char *text)
    __attribute__((warn_unused_result));
void session_router_lost(struct session *);

/* The time limit of session_turn() is over. */
void session_timeout(struct session *);
/* End as soon as there is no transaction. */
void session_drain(struct session *);
/* End now, whatever is in hand. */
void session_stop(struct session *);

enum session_turn session_turn(const struct session *);
enum session_state session_state(const struct session *);
const char *session_state_name(enum session_state);
/* Grows with each command line: a line that never ends is no progress. */
unsigned int session_commands(const struct session *);
/* NULL without a transaction. */
const struct transaction *session_transaction(const struct session *);
const char *session_helo(const struct session *);
enum smtp_protocol session_protocol(const struct session *);

#endif
