/*
 * One mail transaction: the envelope, and how far its recipients are.
 */
#ifndef SMTPD_TRANSACTION_H
#define SMTPD_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/mail.h"

struct transaction {
	char *sender; /* canonical; "" for the null reverse-path */
	enum smtp_body body;
	uint64_t declared_size;
	enum dsn_ret ret;
	char envid[LIMIT_ENVID + 1];
	uint32_t asked;	   /* RECIPIENTs sent to the router */
	uint32_t answered; /* its VERDICTs */
	uint32_t accepted;
	char first[LIMIT_PATH + 1]; /* the first recipient asked for */
	uint64_t id;		    /* 0 until a recipient is accepted */
	bool opened;		    /* the router knows it */
	bool lost;		    /* the router is gone, and what it knew */
};

/* What is asked for with one RCPT; lent. */
struct transaction_recipient {
	const char *address;
	unsigned int notify; /* DSN_NOTIFY_* */
	const char *orcpt;
};

/* NULL if there is no memory. */
struct transaction *transaction_new(const char *sender)
    __attribute__((warn_unused_result));
/* Accepts none. */
void transaction_free(struct transaction **);

/* Recipients that the router has not answered; 0 without a transaction. */
unsigned int transaction_pending(const struct transaction *);

#endif
