/*
 * A message on its way into the store: from the first record of it that a
 * router sent until it is durable or refused.
 */
#ifndef QUEUE_SUBMISSION_H
#define QUEUE_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message_envelope;
struct message_route;
struct redirection;
struct telling;

struct submission_recipient {
	char *address;
	char *original;
	char *name;
	char *user;
	char *destination;
	uint8_t kind; /* enum route_kind */
	uint8_t notify;
	bool expanded; /* an alias: nothing is delivered, the sender is told */
	char *orcpt;
	uint32_t rule; /* the line in `config` */
	char *via;     /* aliases, see via.h */
};

struct submission {
	uint64_t id;
	uint64_t arrival; /* milliseconds since the epoch */
	uint64_t size;
	int fd;
	char *sender;
	char *client_address;
	char *helo;
	char *user;
	char *client_name;
	char *tls_version;
	char *tls_cipher;
	char *config;
	uint8_t protocol;
	uint8_t body;
	uint8_t ret;
	char *envid;
	uint32_t expected; /* recipients that were announced */
	uint32_t count;	   /* and that have come */
	struct submission_recipient *recipients;
	/* If it is a report of ours: what it tells, lent; its acceptance
	 * settles that. */
	const struct telling *telling;
	/* If it takes the place of recipients of another message: which, lent
	 * likewise. */
	const struct redirection *redirection;
	uint32_t inject; /* and the handle that we gave it */
	size_t memory;	 /* octets that it holds, the content apart */

	/* Who waits for the answer; NULL if nobody does any more. */
	void (*answer)(
	    struct submission *, unsigned int code, const char *reply);
	void *owner;
	uint32_t handle;
};

/* EPROTO: it is not what a sound router sends. ENOMEM. The descriptor stays
 * with the caller on failure. */
struct submission *submission_new(const struct message_envelope *, int fd,
    uint64_t arrival) __attribute__((warn_unused_result));
/* Likewise. */
int submission_add(struct submission *, const struct message_route *)
    __attribute__((warn_unused_result));
void submission_free(struct submission **);

#endif
