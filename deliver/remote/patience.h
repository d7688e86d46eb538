/*
 * How long a connection waits for its host. A host that sends an octet now and
 * then gets no more time for that: only what brings the session forward (a
 * whole reply, a change of state, content that leaves us, octet by octet) begins
 * a wait anew. And a message as a whole has an end, or a host that answers each
 * line at the last moment could hold it for days. Pure.
 */
#ifndef REMOTE_PATIENCE_H
#define REMOTE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/monotime.h"

struct patience {
	unsigned int steps; /* of the session when the wait began */
	uint64_t taken;	    /* of the content then */
	struct monotime deadline;
	bool has_deadline;
	bool is_last; /* the message ends with this wait */
};

/* A message begins: it has LIMIT_MESSAGE_SECONDS. */
void patience_begin(struct patience *, struct monotime now);
/* It is over, or all of it is sent: to give up then would only mean to send it
 * again. */
void patience_end(struct patience *);

/* Does what happened since the wait began deserve another one? */
bool patience_is_moved(
    const struct patience *, unsigned int steps, uint64_t taken);
/* Begins a wait of so many seconds. Returns its milliseconds, which are fewer
 * if the message ends before. */
int64_t patience_wait(struct patience *, unsigned int steps, uint64_t taken,
    unsigned int seconds, struct monotime now);
/* Is there no other one after this, whatever happens in it? */
bool patience_is_last(const struct patience *);

#endif
