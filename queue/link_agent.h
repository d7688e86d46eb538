/*
 * The link to one agent: a local user's worker, or a remote worker.
 *
 * What an agent may speak about is the link, not the content: a report counts
 * only if its handle (an index and a generation in this link's own table) and
 * its number are of a delivery that this agent was given and has not reported
 * yet. Anything else is logged and dropped, and too much of it ends the link.
 */
#ifndef QUEUE_LINK_AGENT_H
#define QUEUE_LINK_AGENT_H

#include <stdbool.h>

#include "common/monotime.h"
#include "common/program.h"

struct agent;
struct delivery;
struct event_base;

struct agent_handler {
	/* The link has ended, and all that was in flight on it is given back.
	 * Called last: the agent is freed when this returns. */
	void (*closed)(struct agent *, void *context);
	/* Its last delivery has ended. */
	void (*idle)(struct agent *, void *context);
};

/* Takes the descriptor. `most`: deliveries at once. NULL with errno. */
struct agent *agent_new(struct event_base *, int fd_take, enum program,
    unsigned int most, const struct agent_handler *, void *context)
    __attribute__((warn_unused_result));
/* Ends the link; gives back what is in flight. Does not call `closed`. */
void agent_free(struct agent **);

/* The same, but what was in flight is deferred, for it is the destination that
 * kept it. */
void agent_give_up(struct agent **, const char *reply);

/* Can it be given one more? */
bool agent_has_room(const struct agent *);
/* -1: nothing was taken. */
int agent_deliver(struct agent *, const struct delivery *)
    __attribute__((warn_unused_result));
unsigned int agent_in_flight(const struct agent *);
/* Has one of its deliveries been under way since before this time? A mailbox's
 * worker takes them in turn: what waits behind others there is not under way,
 * so it is late if it has not reported on any of them since. */
bool agent_is_late(const struct agent *, struct monotime since);

#endif
