/*
 * The moves of a session: from state to state, to the settling of recipients,
 * and to its end. When to make which is for others to say.
 */
#ifndef REMOTE_SESSION_MOVE_H
#define REMOTE_SESSION_MOVE_H

#include "deliver/remote/session_parts.h"

void session_enter(struct session *, enum session_state);
/* The message is over; the session may take another. */
enum session_effect session_done(struct session *);
/* The session is over. The reason is lent as long as it is kept. */
enum session_effect session_stop(struct session *, enum session_end_kind,
    enum report_scope, const char *reason);
/* The same, but QUIT will be said, after the replies that are still to come:
 * the session is in step. */
enum session_effect session_leave(struct session *, enum session_end_kind,
    enum report_scope, const char *reason);
/* No more can be learnt from this connection. `why` starts with an enhanced
 * status code of RFC 3463. */
enum session_effect session_lose(struct session *, const char *why);
/* A reason in our own words, kept until the next one. */
const char *session_reason(struct session *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One that is not settled yet. */
void session_settle(struct session *, unsigned int number, enum report_outcome,
    enum report_scope, const char *reply);
/* All that the host has accepted. */
void session_settle_accepted(struct session *, enum report_outcome,
    enum report_scope, const char *reply);
void session_settle_all(struct session *, enum report_outcome,
    enum report_scope, const char *reply);

#endif
