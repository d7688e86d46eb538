/*
 * Delivery into a Maildir, so that what was reported as delivered is on disk.
 *
 * All copies of a batch are written to tmp, then synced, then moved to new,
 * and new is synced once: the first sync commits the file system's journal for
 * all of them, so a batch costs little more than one message. What fails for
 * one copy is only that copy's result.
 */
#ifndef DELIVER_LOCAL_MAILDIR_H
#define DELIVER_LOCAL_MAILDIR_H

#include <stdbool.h>
#include <time.h>

struct copy;
struct place;

/* Delivers each copy, at most INTAKE_COPIES, and sets its result. Before the
 * first is moved into new, `is_awaited` is asked: if nobody will hear the
 * results, and so all would be delivered again, nothing is left behind. */
void maildir_deliver(const struct place *, const char *hostname,
    struct copy *const *copies, unsigned int count,
    bool (*is_awaited)(const void *context), const void *context);

/* Removes what deliveries that never finished left in tmp 36 hours ago or
 * earlier, as the Maildir page asks. Looks at a bounded number of files. */
void maildir_tidy(const struct place *, time_t now);

#endif
