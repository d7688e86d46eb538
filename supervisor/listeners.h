/*
 * The listening SMTP sockets of one configuration.
 *
 * Each has a number, which smtpd and the router know it by: line N of the
 * configuration's `listen` lines (from 0) is number N. A line for "*" is two
 * sockets: N is IPv4, N + LISTENERS_SECOND is IPv6. So the line of any number
 * is the number modulo LISTENERS_SECOND.
 */
#ifndef SUPERVISOR_LISTENERS_H
#define SUPERVISOR_LISTENERS_H

#include <stdint.h>
#include <stdio.h>

#include "common/config.h"
#include "common/limits.h"

#define LISTENERS_SECOND (LIMIT_LISTENERS / 2)

struct listener {
	uint32_t number;
	int family;
	char address[LIMIT_ADDRESS_TEXT + 1];
	uint16_t port;
	int fd; /* -1 until it is open */
};

struct listeners {
	unsigned int count;
	struct listener list[LIMIT_LISTENERS];
};

/* What a configuration asks for; nothing is opened. -1 and an error text if
 * that is too much, or no address. */
int listeners_plan(struct listeners *, const struct config *, FILE *errors)
    __attribute__((warn_unused_result));
/* Opens all of them; those that `held` (or NULL) also has are shared with it.
 * -1 and an error text, with all of them closed again. */
int listeners_open(struct listeners *, struct listeners *held, FILE *errors)
    __attribute__((warn_unused_result));
/* Clients are refused as if nobody listened; the addresses stay ours. Those who
 * were not accepted yet are refused, too. -1 with errno if one could not. */
int listeners_refuse(struct listeners *) __attribute__((warn_unused_result));
/* Listens again. */
int listeners_listen(struct listeners *) __attribute__((warn_unused_result));
void listeners_close(struct listeners *);

#endif
