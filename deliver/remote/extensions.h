/*
 * What a host says of itself in its reply to EHLO (RFC 5321 4.1.1.1). Pure.
 */
#ifndef REMOTE_EXTENSIONS_H
#define REMOTE_EXTENSIONS_H

#include <stdbool.h>
#include <stdint.h>

struct extensions {
	bool pipelining;     /* RFC 2920 */
	bool eight_bit;	     /* RFC 6152 */
	bool dsn;	     /* RFC 3461 */
	bool size;	     /* RFC 1870 */
	uint64_t size_limit; /* 0: none, or not said */
	uint64_t rcpt_max;   /* RFC 9422; 0: not said */
};

/* Reads a whole reply; nothing is offered in a reply to HELO. */
void extensions_read(struct extensions *, const char *reply, bool ehlo);

/* Does the host call itself so in its reply? */
bool extensions_is_host(const char *reply, const char *hostname);

#endif
