/*
 * The client's side of SMTP (RFC 5321, 2920, 1870, 6152, 3461) as a state
 * machine without I/O: replies in, commands and reports out.
 *
 * Whoever owns the connection feeds what arrives, sends what
 * session_output() gives, and does what each effect asks for:
 *
 *	session_feed()  -> SESSION_GREETED -> session_begin(transaction)
 *	                -> SESSION_SEND_CONTENT: send it, dot-stuffed and ended,
 *	                   then session_content_sent() once the socket has it
 *	                -> SESSION_DONE: every recipient is settled, or is
 *	                   for the next transaction
 *	                -> SESSION_ENDED: session_end() says why, and if the
 *	                   state is not SESSION_DEAD, QUIT is still to be said
 *
 * The rules:
 * - A recipient is settled when a reply to its RCPT, to DATA or to the end of
 *   the content, or a 5xx to MAIL, decides about it.
 * - What is temporary before the first RCPT was answered (a 4xx to the
 *   greeting, EHLO, HELO or MAIL), a 421 anywhere, a lost connection, a
 *   silence or a broken reply ends the session; recipients that are not
 *   settled may be offered to the next host.
 * - Except after the end of the content was sent: then they are deferred, for
 *   the message may have been accepted, and offering it to another host now
 *   would double it.
 * - A 5xx greeting means that this host takes no mail now (RFC 5321 3.1):
 *   temporary; but 521 that it never does (RFC 7504), and a 5xx to both EHLO
 *   and HELO that it does not want us: permanent for this host.
 * - "Too many recipients" (RFC 5321 4.5.3.1.10; RFC 3463 X.5.3) to RCPT, where
 *   the host has accepted some: SESSION_DONE comes with the others not settled,
 *   and they may be offered in the next transaction at once. 552 is temporary
 *   also where it has accepted nobody. What a host announces (RFC 9422,
 *   RCPTMAX) is kept to.
 * - Who ends a session that is in step says QUIT (RFC 5321 4.1.1.10): after
 *   every refusal, once the replies to what was said already are there. Not
 *   after 421, a lost connection, a silence, a broken reply, nor instead of
 *   content. The message does not wait for that: SESSION_ENDED comes before,
 *   and once more after it.
 * - RET, ENVID, NOTIFY and ORCPT go to a host with DSN as they were given, and
 *   to others not at all (RFC 3461 5.2); nothing is added to them.
 * - An 8-bit body is offered with BODY=8BITMIME if the host has that, and as
 *   it is if not, as most of the world's mailers do.
 */
#ifndef REMOTE_SESSION_H
#define REMOTE_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mail.h"
#include "deliver/remote/transaction.h"

/* The longest command: RCPT with a path, NOTIFY and ORCPT. session_output()
 * wants room for at least one. */
#define SESSION_COMMAND_SIZE (LIMIT_PATH + LIMIT_ORCPT + 256)

enum session_state {
	SESSION_GREETING,
	SESSION_EHLO,
	SESSION_HELO,
	SESSION_READY,	  /* may take a message */
	SESSION_ENVELOPE, /* MAIL, RCPT, DATA are under way */
	SESSION_CONTENT,
	SESSION_DOT,	  /* the content was sent; its reply is awaited */
	SESSION_LONE_DOT, /* a 354 that we do not want: RFC 2920 3.1 */
	SESSION_RSET,
	SESSION_LEAVING, /* to QUIT; replies to what was said are to come */
	SESSION_QUIT,
	SESSION_DEAD,
	SESSION_STATES
};

enum session_effect {
	SESSION_NOTHING,
	SESSION_GREETED,
	SESSION_SEND_CONTENT,
	SESSION_DONE,
	SESSION_ENDED,
};

enum session_end_kind {
	SESSION_END_QUIT,      /* by our own wish; nothing failed */
	SESSION_END_LOST,      /* no or broken answer, or 421 */
	SESSION_END_TEMPORARY, /* the host refuses for now */
	SESSION_END_PERMANENT, /* the host refuses */
	SESSION_END_LOOP,      /* the host calls itself as we do */
};

struct session_end {
	enum session_end_kind kind;
	enum report_scope scope;
	const char *reason; /* the reply in full, or our words; lent */
};

/* Says that a recipient is settled. */
typedef void (*session_settled)(void *context, unsigned int recipient,
    enum report_outcome, enum report_scope, const char *reply);

struct session;

/* `hostname` is ours; it is lent. A host that was found by MX and calls itself
 * so is a loop; a relay is what the configuration wants, and may. NULL with
 * errno. */
struct session *session_new(const char *hostname, enum route_kind)
    __attribute__((warn_unused_result));
void session_free(struct session **);

/* Starts a message in SESSION_READY. The transaction is lent until
 * SESSION_DONE or SESSION_ENDED; none of its recipients is settled. */
enum session_effect session_begin(
    struct session *, struct transaction *, session_settled, void *context);
/* Takes octets up to the first effect; `used` says how many. */
enum session_effect session_feed(
    struct session *, const char *data, size_t length, size_t *used);
/* The commands to be sent now: whole ones, as many as fit. 0 if none. */
size_t session_output(struct session *, char *buffer, size_t size);
void session_content_sent(struct session *);
/* No step was made for session_timeout() seconds. */
enum session_effect session_timed_out(struct session *);
/* LIMIT_MESSAGE_SECONDS are over, whatever came. */
enum session_effect session_overdue(struct session *);
/* The connection ended. `reason`: how, if the system said. */
enum session_effect session_lost(struct session *, const char *reason);
/* Ends a session in SESSION_READY politely. */
void session_quit(struct session *);

enum session_state session_state(const struct session *);
/* Counts what brings the session forward, and restarts its timer: whole
 * replies and changes of state, not octets. */
unsigned int session_steps(const struct session *);
/* RFC 5321 4.5.3.2. */
unsigned int session_timeout(const struct session *);
/* Did the host take the MAIL of the current or last transaction? */
bool session_mail_accepted(const struct session *);
const struct session_end *session_end(const struct session *);
const char *session_state_name(enum session_state);

#endif
