/*
 * One SMTP session (RFC 5321) as a state machine without I/O: octets from the
 * client and answers from the router go in, replies and effects come out.
 *
 * Every command gets exactly one reply, in the order of the commands. RCPTs
 * that are pipelined go to the router without waiting for one another; any
 * other command waits until all of them are answered, and so does everything
 * behind the end of data until the router's outcome is known.
 */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mail.h"
#include "smtpd/session_effects.h"
#include "smtpd/session_state.h"

struct session;

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
struct session_progress session_progress(const struct session *);
/* NULL without a transaction. */
const struct transaction *session_transaction(const struct session *);
const char *session_helo(const struct session *);
enum smtp_protocol session_protocol(const struct session *);

#endif
