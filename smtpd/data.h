/*
 * The decoder of what follows DATA (RFC 5321 4.5.2): an automaton over
 * octets, independent of how they are split. Pure.
 *
 * Only CRLF ends a line and only CRLF "." CRLF ends the data. A CR or LF that
 * is not part of a CRLF, anywhere, makes the message refused, after its true
 * end has been found: other hosts end lines there, and what one host takes for
 * text and the next for commands is a second message, smuggled.
 *
 * Of a refused message nothing more is given out; it is only read to its end.
 */
#ifndef SMTPD_DATA_H
#define SMTPD_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum data_state {
	DATA_LINE_START, /* after CRLF, or at the very start */
	DATA_DOT,	 /* a dot at the start of a line */
	DATA_DOT_CR,	 /* and a CR after it */
	DATA_TEXT,
	DATA_CR, /* a CR elsewhere */
	DATA_END
};

/* Why it is refused, in order of weight: the heaviest is kept. */
enum data_refusal {
	DATA_GOOD,
	DATA_NO_ROOM, /* the sink could not take it: try again later */
	DATA_TOO_LONG_LINE,
	DATA_NUL, /* neither 7bit nor 8bit, RFC 2045 2.7 and 2.8 */
	DATA_TOO_BIG,
	DATA_BARE_NEWLINE,
	DATA_REFUSALS
};

struct data {
	enum data_state state;
	enum data_refusal refusal;
	uint64_t limit; /* of size */
	uint64_t size;	/* octets, dots unstuffed, before the end mark */
	uint64_t lines;
	size_t line_length;
	unsigned int hops;    /* Received fields in the header */
	unsigned int matched; /* of "received:" at the start of this line */
	bool in_header;
};

/* Takes decoded octets; -1 if it cannot. */
typedef int data_sink(void *context, const uint8_t *, size_t);

void data_start(struct data *, uint64_t limit);
/* Decodes up to the end mark; returns how many octets it consumed, which is
 * all of them unless the state is now DATA_END. */
size_t data_decode(
    struct data *, const uint8_t *, size_t length, data_sink *, void *context);

#endif
