/*
 * A link to one neighbour: a SOCK_SEQPACKET socket on the event loop.
 *
 * One datagram is one message. Received messages reach the handler only if
 * they decode exactly, carry the right number of descriptors, and the message
 * table lets this peer send them to us. Anything else means that the peer is
 * broken or compromised: the channel logs it, closes and calls `closed`, as it
 * does at end of file or when the peer has stopped reading. A channel never
 * ends the process, and never blocks it.
 *
 * At most LIMIT_CHANNEL_TURN records are read before other channels have a
 * turn; at most LIMIT_CHANNEL_QUEUE wait to be sent.
 */
#ifndef COMMON_CHANNEL_H
#define COMMON_CHANNEL_H

#include <stdbool.h>

#include "common/message.h"

struct channel;
struct event_base;

struct channel_handler {
	/* The message and what it lends are gone when this returns. A
	 * descriptor that was not taken is closed then. Returning -1 says
	 * that the peer broke the protocol: the channel is closed. */
	int (*receive)(struct channel *, struct message *, void *context);
	/* The link ended. The channel is freed after this returns. Never
	 * called because of channel_free(). */
	void (*closed)(struct channel *, void *context);
	/* The peer broke the link and `closed` is next. Says who it was, if
	 * peers are many; false if that need not be in the log, where anybody
	 * may be one. NULL: it is logged. */
	bool (*broken)(void *context);
};

/* Takes the descriptor, also on failure. `self` and `peer` say who speaks.
 * The handler must outlive the channel. NULL with errno on failure. */
struct channel *channel_new(struct event_base *, int fd_take, enum program self,
    enum program peer, const struct channel_handler *, void *context)
    __attribute__((warn_unused_result));

/* Closes the link and frees it; accepts none. Safe inside a handler. */
void channel_free(struct channel **);

/* Sends a message; takes its descriptor in every case. What the socket does
 * not take at once is queued. A link that fails is closed from the event loop
 * later, so that `closed` is never called from within this. -1 with errno if
 * the message was not sent and never will be. */
int channel_send(struct channel *, struct message *);

/* How many messages wait for the peer to read. */
unsigned int channel_queued(const struct channel *);

/* Stop and restart reading, to push back on a peer. */
void channel_pause(struct channel *);
void channel_resume(struct channel *);

enum program channel_peer(const struct channel *);

#endif
