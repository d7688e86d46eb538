/*
 * One message for one destination, from the queue's order to the report on
 * the last recipient: an idle connection to the destination if there is one,
 * else one address of its route after the other.
 */
#ifndef REMOTE_DELIVERY_H
#define REMOTE_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/mail.h"
#include "deliver/remote/transaction.h"

struct delivery;

struct delivery_handler {
	/* One for each recipient, before `over`. The texts are lent.
	 * `relayed`: it was taken by a host that will not report success. */
	void (*report)(void *context, uint32_t number, enum report_outcome,
	    enum report_scope, const char *host, const char *reply,
	    bool relayed);
	/* The delivery is gone after this. */
	void (*over)(void *context);
};

/* The configuration names the relays; it is lent. */
void delivery_init(const struct config *);
/* Deliveries that wait for a connection may get one. */
void delivery_wake(void);

/* Takes the transaction and the content, also on failure. `kind` is
 * ROUTE_RELAY, with the relay's name, or ROUTE_MX, with a domain. It begins,
 * and may be over, with the next delivery_wake(). NULL with errno. */
struct delivery *delivery_new(uint64_t id, enum route_kind, const char *name,
    struct transaction *take, int content_take, const struct delivery_handler *,
    void *context) __attribute__((warn_unused_result));
/* Ends it without a report; accepts none. Not from within its handler. */
void delivery_abort(struct delivery **);

#endif
