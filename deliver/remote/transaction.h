/*
 * One message on its way to one host: its envelope, and what is still to be
 * said about each recipient. The content is elsewhere.
 */
#ifndef REMOTE_TRANSACTION_H
#define REMOTE_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mail.h"

struct recipient {
	uint32_t number; /* the queue's */
	char *address;	 /* canonical */
	bool accepted;	 /* by the host of the current session */
	bool settled;	 /* reported */
};

struct transaction {
	char *sender; /* canonical; "" for the null reverse-path */
	enum smtp_body body;
	uint64_t size;
	struct recipient *recipients;
	unsigned int count;
};

/* NULL with errno. */
struct transaction *transaction_new(const char *sender, enum smtp_body,
    uint64_t size, unsigned int recipients) __attribute__((warn_unused_result));
void transaction_free(struct transaction **);

/* Adds one of the promised recipients. */
int transaction_add(struct transaction *, uint32_t number, const char *address)
    __attribute__((warn_unused_result));
/* Forgets the settled recipients and what the last host said of the others,
 * so that the rest can be offered to the next one. Their indices change. */
void transaction_compact(struct transaction *);

#endif
