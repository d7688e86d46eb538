/*
 * Does a message begin with a header (RFC 5322 2.2)? If not, an empty line
 * belongs before it: what the client sent is text then, and must neither run
 * into our own trace field, nor, by a space at its beginning, become a part of
 * it. Pure: told the octets as they come.
 */
#ifndef SMTPD_OPENING_H
#define SMTPD_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer field name is none. */
#define OPENING_NAME_MOST 128

enum opening_state {
	OPENING_UNKNOWN, /* in a field's name, or nothing has come */
	OPENING_AFTER,	 /* behind the name: only blanks may come */
	OPENING_HEADER,	 /* a field, or the empty line itself */
	OPENING_TEXT,
};

/* All zero: nothing has come. */
struct opening {
	enum opening_state state;
	size_t length; /* of what is held */
	uint8_t held[OPENING_NAME_MOST];
};

/* Takes octets until it is decided; returns how many. What it took is held. */
size_t opening_take(struct opening *, const uint8_t *, size_t);
bool opening_is_decided(const struct opening *);
/* The message is over: what is still undecided is text, unless it is empty. */
void opening_end(struct opening *);

#endif
