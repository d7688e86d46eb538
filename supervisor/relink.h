/*
 * A link may end although both of its programs live: one of them closed it,
 * because the other broke the protocol, stopped reading, or for want of
 * memory. Its inner end says so, and after a while the two get a new one;
 * without that, mail would wait for ever. A program that has died is no matter
 * of this: its successor is linked anyway.
 *
 * Whoever asks may be taken over. So only the inner end of a link may ask, for
 * its own links, and each pair has a back-off: a new link comes after 0.2 s,
 * then after twice as long each time, up to half a minute, until one has
 * lasted for a minute. Nothing is kept of what is gone.
 */
#ifndef SUPERVISOR_RELINK_H
#define SUPERVISOR_RELINK_H

#include "common/message.h"
#include "supervisor/house.h"

/* Long enough to see which of the two has died, if one has. */
#define RELINK_LEAST_MS 200
#define RELINK_MOST_MS 30000
#define RELINK_STEADY_MS 60000

/* The queue waits for an hour before it says that one hangs (remotes.c
 * there): of one that is younger than this it is not true. */
#define RELINK_HANG_MS (30 * INT64_C(60000))

/* -1 if this process may not say that. */
int relink_ask(struct process *, const struct message_peer_lost *)
    __attribute__((warn_unused_result));

/* How long a pair waits, in milliseconds: after its last wait, 0 for none, and
 * a link that lasted so long. */
int64_t relink_wait(int64_t last, int64_t lasted);

#endif
