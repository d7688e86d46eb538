/*
 * The links to all the living processes of one neighbour program, the newest
 * first. New exchanges go to the newest; one that is open stays on the link
 * where it was opened, also while the process behind it drains.
 *
 * A handle is a slot's number and a generation that grows with each exchange
 * of that slot on that link, so that an answer that comes too late is known
 * as such and dropped. A peer that answers what it was never asked is cut off.
 */
#ifndef SMTPD_LINK_H
#define SMTPD_LINK_H

#include <stdint.h>

#include <bsd/sys/queue.h>

#include "common/child.h"
#include "common/message.h"

struct event_base;
struct link;

struct link_set {
	enum program peer;
	/* An answer for whoever opened the exchange. -1 if the peer may not
	 * say that now: the link is closed. */
	int (*receive)(void *owner, struct message *);
	/* The link is gone, and the exchange with it: to be closed. */
	void (*lost)(void *owner);
	LIST_HEAD(link_list, link) links;
};

/* An open exchange. All zero: none. */
struct exchange {
	struct link *link;
	uint32_t handle;
};

/* Takes the descriptor of the peer. */
void link_add(
    struct link_set *, struct event_base *, const struct child_peer *);

/* Opens an exchange in a slot that has none and sends its first message.
 * -1 if nobody can take it now. */
int link_open(struct link_set *, struct exchange *, unsigned int slot,
    void *owner, struct message *) __attribute__((warn_unused_result));
/* Takes the message's descriptor. -1 if the link is broken; `lost` follows. */
int link_send(const struct exchange *, struct message *);
/* Forgets the exchange. Accepts none. */
void link_close(struct exchange *);

#endif
