/*
 * What the content goes through on its way into a mailbox file.
 *
 * Line ends become LF, as every reader of a Maildir expects. Return-Path
 * fields disappear from the header: only the final delivery may write one
 * (RFC 5321 4.4), so any that came with the message is forged. And a
 * Delivered-To field that already has this recipient's address is a loop.
 *
 * Pure, and fed in pieces of any size: what comes out does not depend on where
 * the pieces were cut.
 */
#ifndef DELIVER_LOCAL_HEADER_H
#define DELIVER_LOCAL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

/* The longest field name, with blanks before its colon, that is looked at. */
#define HEADER_NAME 64
/* A piece of n octets makes at most n + HEADER_SLACK. */
#define HEADER_SLACK (HEADER_NAME + 2)

enum header_state {
	HEADER_LINE, /* at the start of a line */
	HEADER_IN_NAME,
	HEADER_KEEP,  /* in a field that stays */
	HEADER_DROP,  /* in a Return-Path */
	HEADER_VALUE, /* in a Delivered-To */
	HEADER_BODY,
};

struct header {
	const char *address;
	enum header_state state;
	enum header_state field; /* what a folded line continues */
	uint8_t name[HEADER_NAME];
	size_t name_length;
	char value[LIMIT_PATH + 1];
	size_t value_length;  /* sizeof(value): too long to match */
	bool carriage_return; /* one is held back until its LF comes */
	uint8_t last;	      /* octet written */
	uint64_t lines;	      /* written that end in LF alone */
	bool loop;
};

/* Lends the address. */
void header_begin(struct header *, const char *address);
/* Both return how many octets they wrote to `out`. */
size_t header_feed(
    struct header *, const uint8_t *in, size_t length, uint8_t *out);
size_t header_finish(struct header *, uint8_t *out);

/* Was this message already delivered to this address? Complete once the
 * header is over. */
bool header_found_loop(const struct header *);

#endif
