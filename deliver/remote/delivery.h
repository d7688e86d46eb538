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
#include "deliver/remote/endpoint.h"
#include "deliver/remote/transaction.h"

struct delivery;

/* What is said about a recipient, or by a host. All is lent. */
struct delivery_report {
	enum report_outcome outcome;
	enum report_scope scope;
	const struct endpoint_host *host; /* NULL: it was none that said so */
	const char *reply;
	bool relayed;  /* taken by a host that will not report success */
	uint32_t took; /* milliseconds, with this host */
};

struct delivery_handler {
	/* One for each recipient, before `over`. */
	void (*report)(
	    void *context, uint32_t number, const struct delivery_report *);
	/* An address did not take the mail, which another one may take. What
	 * decides in the end is in a report. */
	void (*tried)(void *context, const struct delivery_report *);
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
