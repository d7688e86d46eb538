/*
 * What the files of the session share: session.c hears, session_say.c speaks.
 */
#ifndef REMOTE_SESSION_PARTS_H
#define REMOTE_SESSION_PARTS_H

#include "deliver/remote/extensions.h"
#include "deliver/remote/reply.h"
#include "deliver/remote/session.h"

struct session {
	const char *hostname;
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
	unsigned int accepted; /* recipients */
	bool mail_accepted;
	bool mail_refused;
};

/* May the next command of the envelope be sent? */
bool session_may_send(const struct session *);

#endif
