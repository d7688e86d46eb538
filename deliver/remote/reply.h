/*
 * The reader of a remote server's replies (RFC 5321 4.2). Pure: octets in, a
 * whole reply out, whatever the pieces in which they arrive.
 *
 * Strict where meaning is at stake: three digits, the first of them 2 to 5,
 * then a space, a hyphen or the end of the line; the same code on every line;
 * no NUL, no CR but at the end of a line; all lines within
 * LIMIT_REMOTE_REPLY. Lenient where it is not: the text may be missing, hold
 * 8-bit octets, and a line may end in a bare LF, for a reply is never passed
 * on as lines.
 */
#ifndef REMOTE_REPLY_H
#define REMOTE_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/limits.h"

enum reply_status {
	REPLY_MORE,	/* all octets taken, the reply goes on */
	REPLY_COMPLETE, /* `code` and `text` hold it */
	REPLY_BAD,	/* no reply; the stream is of no further use */
};

/* Start with all zero. After REPLY_COMPLETE the next octets begin the next
 * reply. */
struct reply {
	unsigned int code; /* 200 to 599 */
	/* All lines with their codes, CRLF between them, none at the end. */
	char text[LIMIT_REMOTE_REPLY + 1];
	size_t length;
	size_t line; /* where the current line starts in `text` */
	bool complete;
};

/* Takes octets up to the end of one reply; `used` says how many. */
enum reply_status reply_feed(
    struct reply *, const char *data, size_t length, size_t *used);

/* The text of a reply in `size` octets: of a longer one the beginning, up to a
 * whole character, and "..." on a line of its own. */
void reply_cut(char *to, size_t size, const char *text);

#endif
