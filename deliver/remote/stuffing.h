/*
 * The content as it goes through SMTP (RFC 5321 4.5.2): lines end in CRLF, a
 * line that begins with a dot gets another. Pure.
 *
 * Content in the house has no line end but CRLF already; if it had one, it
 * would leave here as CRLF too, and the dots would still be right, so that no
 * content can end itself early or carry a second message (SMTP smuggling).
 */
#ifndef REMOTE_STUFFING_H
#define REMOTE_STUFFING_H

#include <stddef.h>
#include <stdint.h>

enum stuffing_place {
	STUFFING_LINE_START,
	STUFFING_IN_LINE,
	STUFFING_AFTER_CR, /* the CR is not written yet */
};

/* Start with all zero. */
struct stuffing {
	enum stuffing_place place;
};

/* What `length` octets may become at most. */
#define STUFFING_SIZE(length) (2 * (length) + 2)
/* What the end may need at most. */
#define STUFFING_END_SIZE 5

/* Returns how many octets were written to `out`, which has room for
 * STUFFING_SIZE(length). */
size_t stuffing_add(
    struct stuffing *, const uint8_t *in, size_t length, uint8_t *out);
/* Ends the last line if need be, and the content. */
size_t stuffing_end(struct stuffing *, uint8_t *out);

#endif
