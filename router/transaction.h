/*
 * One transaction, from MAIL until its message is in the queue.
 *
 *   GATHERING --recipient--> GATHERING   a verdict each
 *   GATHERING --content----> COMPLETE    or refused, which ends it
 *   COMPLETE  --envelope---> SENT        the content has left us
 *
 * No I/O: the links drive it, and whoever holds it frees it, once. Everything
 * that smtpd said is parsed again here.
 */
#ifndef ROUTER_TRANSACTION_H
#define ROUTER_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/message.h"
#include "router/expand.h"
#include "router/reply.h"
#include "router/routes.h"

struct transaction;

/* NULL with errno: EPROTO if smtpd must not send this. The expander must
 * outlive the transaction. */
struct transaction *transaction_new(const struct expander *,
    const struct message_open *) __attribute__((warn_unused_result));
/* Accepts none. */
void transaction_free(struct transaction **);

/* Sets the reply to RCPT. `ready`: can the queue take anything now? -1 and
 * EPROTO if smtpd must not send this. */
int transaction_add_recipient(struct transaction *,
    const struct message_recipient *, bool ready, struct reply *)
    __attribute__((warn_unused_result));

/* Takes the descriptor in every case. 0 if the message is whole and goes to
 * the queue; 1 if it is refused with the reply; -1 and EPROTO if smtpd must
 * not send this. */
int transaction_add_content(struct transaction *, int fd_take, uint64_t size,
    uint32_t hops, struct reply *) __attribute__((warn_unused_result));

/* It answers this INJECT, and goes to the queue that sent it. */
void transaction_set_inject(struct transaction *, uint32_t handle);
/* Fills in an ENVELOPE; the descriptor goes with it. Once. */
void transaction_make_envelope(struct transaction *, struct message *);

uint64_t transaction_id(const struct transaction *);
/* Of the content; 0 without one. */
uint64_t transaction_size(const struct transaction *);
const struct routes *transaction_routes(const struct transaction *);

/* The line of the log that says what became of it. */
void transaction_log(const struct transaction *, const struct reply *);

#endif
