/*
 * The states of an SMTP session, as a table.
 */
#ifndef SMTPD_SESSION_STATE_H
#define SMTPD_SESSION_STATE_H

#include <stdbool.h>

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

/* Whose move it is, so that the owner knows which time limit is running. */
enum session_turn {
	SESSION_TURN_COMMAND,
	SESSION_TURN_DATA,
	SESSION_TURN_ROUTER,
	SESSION_TURN_NOBODY /* ended */
};

/* What tells a session that goes on from one that is only held. */
struct session_progress {
	enum session_turn turn;
	unsigned int commands; /* a line that never ends is none */
	unsigned int messages; /* that were accepted */
	bool in_vain;	       /* the content that comes is refused already */
};

const char *session_state_name(enum session_state);
/* In a state where commands are awaited it may be the router's move instead:
 * session_turn() knows. */
enum session_turn session_state_turn(enum session_state);

#endif
