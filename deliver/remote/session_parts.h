/*
 * What the files of the session share: session.c is its outside,
 * session_reply.c hears, session_say.c speaks, and session_move.c is what
 * hearing leads to.
 */
#ifndef REMOTE_SESSION_PARTS_H
#define REMOTE_SESSION_PARTS_H

#include "deliver/remote/extensions.h"
#include "deliver/remote/reply.h"
#include "deliver/remote/session.h"

struct session {
	const char *hostname;
	enum route_kind kind; /* of the way to the host */
	enum session_state state;
	bool unsent; /* the one command of this state is still to be sent */
	struct extensions extensions;
	struct reply reply;
	unsigned int steps;
	struct session_end end;
	char reason[LIMIT_REPLY + 1];

	/* The message. Its commands are numbered: 0 is MAIL, then one for
	 * each recipient, then DATA. */
	struct transaction *transaction;
	session_settled settled;
	void *context;
	unsigned int sent, answered;
	unsigned int batch;    /* recipients that are offered */
	unsigned int accepted; /* of these */
	bool mail_accepted;
	bool mail_refused;
};

/* Does what the reply that is now whole asks for. */
enum session_effect session_hear(struct session *);
/* Is there no message that the end of the connection could harm? */
bool session_is_parting(const struct session *);
/* May the next command of the envelope be sent? */
bool session_may_send(const struct session *);

#endif
