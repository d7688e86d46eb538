/*
 * What goes out to a host: the session's commands, and the content of its
 * message, dot-stuffed and ended. It is put into a buffer that a socket
 * drains, a piece at a time as there is room: the buffer never holds more than
 * OUTGOING_HIGH and a piece.
 */
#ifndef REMOTE_OUTGOING_H
#define REMOTE_OUTGOING_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "deliver/remote/session.h"
#include "deliver/remote/stuffing.h"

struct evbuffer;

/* No more is added to the buffer above the one; the socket asks for more
 * below the other. */
#define OUTGOING_HIGH 65536
#define OUTGOING_LOW 32768

/* Start with all zero. */
struct outgoing {
	int content; /* lent */
	uint64_t size;
	off_t offset;
	struct stuffing stuffing;
	bool content_put; /* all of it is in the buffer, or beyond */
	uint64_t put;	  /* octets into the buffer, ever */
};

/* A message begins. Its content is lent until the session has sent it. */
void outgoing_begin(struct outgoing *, int content, uint64_t size);
/* Puts what the session has to say into the buffer. -1 with errno if it cannot
 * go on. */
int outgoing_fill(struct outgoing *, struct session *, struct evbuffer *)
    __attribute__((warn_unused_result));
/* Octets that the socket has taken out of the buffer, ever. */
uint64_t outgoing_taken(const struct outgoing *, const struct evbuffer *);
/* Has the socket taken the whole content? */
bool outgoing_is_through(const struct outgoing *, const struct evbuffer *);

#endif
