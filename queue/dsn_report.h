/*
 * A report about a message to whoever sent it (RFC 3464), or to the
 * administrator of this host: plain words for people, the same for programs,
 * and what comes back of the message.
 *
 * Everything in it may come from strangers and is written so that it stays
 * what it is: see dsn_field.h and dsn_original.h. Whoever has an address in
 * UTF-8 gets the types of RFC 6533; to all others such addresses are spelt out
 * in the fields, as dsn_address.h has it. Pure, but for the memfd.
 */
#ifndef QUEUE_DSN_REPORT_H
#define QUEUE_DSN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/dsn_status.h"

/* A message that failed comes back whole up to this size, and by its header
 * if it is larger: enough for a letter, and too little to make the report
 * itself undeliverable, or a bounce worth provoking. */
#define DSN_RETURN_MOST (64UL * 1024)

struct dsn_recipient {
	enum dsn_action action;
	const char *address;
	const char *original; /* as the client gave it */
	const char *orcpt;    /* "type;xtext"; "" none */
	const char *host;     /* who gave the last reply; "" unknown */
	const char *reply;
	bool untried;  /* no host has refused it: the reply is about others, or
		       * ours */
	uint64_t last; /* the last attempt, in seconds; 0: unknown */
	uint64_t retry_until; /* of a delay; 0: unknown */
};

/* Texts are lent. Times are in seconds. */
struct dsn_report {
	const char *hostname;
	const char *id;	    /* of the message, as people read it */
	const char *to;	    /* who gets the report */
	const char *sender; /* of the message; "" null */
	bool is_notice;	    /* it goes to the administrator instead */
	const char *envid;  /* xtext; "" none */
	uint8_t ret;	    /* enum dsn_ret */
	uint64_t arrival;
	uint64_t now;
	const struct dsn_recipient *recipients;
	unsigned int count;
	/* The message, from its beginning; NULL: it cannot be read. */
	const char *original;
	size_t original_length;
	bool original_is_whole;
};

/* What is said of it in the envelope. */
struct dsn_made {
	uint64_t size;
	bool is_8bit;
	bool is_utf8; /* SMTPUTF8 (RFC 6531): so is its header */
};

/* A sealed memfd. -1 with errno. */
int dsn_report_make(const struct dsn_report *, struct dsn_made *)
    __attribute__((warn_unused_result));

#endif
