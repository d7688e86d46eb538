/*
 * One message on its way to one host: its envelope, and what is still to be
 * said about each recipient. The content is elsewhere.
 */
#ifndef REMOTE_TRANSACTION_H
#define REMOTE_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/mail.h"

struct recipient {
	uint32_t number; /* the queue's */
	char *address;	 /* canonical */
	uint8_t notify;	 /* DSN_NOTIFY_*; 0: not given */
	char *orcpt;	 /* NULL: not given */
	bool accepted;	 /* by the host of the current session */
	bool settled;	 /* reported */
	bool postponed;	 /* to the next transaction with that host */
};

struct transaction {
	char *sender; /* canonical; "" for the null reverse-path */
	enum smtp_body body;
	uint64_t size;
	enum dsn_ret ret;
	char envid[LIMIT_ENVID + 1]; /* "" if not given */
	bool fresh;		     /* it goes before what is not */
	bool host_reports; /* the host of the current session has DSN */
	struct recipient *recipients;
	unsigned int count;
	/* As many as a host has shown that it takes in one transaction, and
	 * did the host of the current session show that? */
	unsigned int most;
	bool most_is_new;
};

/* NULL with errno. */
struct transaction *transaction_new(const char *sender, enum smtp_body,
    uint64_t size, unsigned int recipients) __attribute__((warn_unused_result));
void transaction_free(struct transaction **);

/* What the client of the house said about reports, for the whole message. */
void transaction_set_dsn(struct transaction *, enum dsn_ret, const char *envid);
/* Adds one of the promised recipients. `orcpt` may be empty. */
int transaction_add(struct transaction *, uint32_t number, const char *address,
    uint8_t notify, const char *orcpt) __attribute__((warn_unused_result));
/* Forgets the settled recipients and what the last host said of the others,
 * so that the rest can be offered to the next one. Their indices change. */
void transaction_compact(struct transaction *);

#endif
