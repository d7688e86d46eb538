/*
 * The destinations to which the administrator lets nothing be delivered for a
 * while, and whether he lets anything be delivered at all. Mail for them is
 * accepted and waits; it does not grow too old meanwhile.
 *
 * The store keeps them, so that they outlive us; memory has them all, in a
 * table of fixed size. What is written is not in force before pause_set() is
 * called, after the commit. A destination is named as in store_row.h; the
 * empty name stands for all of them.
 */
#ifndef QUEUE_PAUSE_H
#define QUEUE_PAUSE_H

#include <stdbool.h>

#include "common/mail.h"
#include "common/wire.h"

struct store;

/* Named ones; each is looked at in every step of the wake index. */
#define PAUSE_MOST 1024

/* What the store says, in the open transaction, in place of what memory had. */
int pause_load(struct store *) __attribute__((warn_unused_result));
/* In the open write transaction. */
int pause_write(struct store *, const char *destination, bool paused)
    __attribute__((warn_unused_result));
void pause_set(const char *destination, bool paused);

/* Is this a row of the meta table that pauses something? Then its name, which
 * has LIMIT_DESTINATION + 1 octets. */
bool pause_read_key(struct bytes key, char *name);
/* How many that look like one and make no sense did pause_load() pass over? */
unsigned int pause_damaged(void);

/* Was just this paused? */
bool pause_is_set(const char *destination);
/* Why nothing goes there now. */
enum pause_kind pause_kind(const char *destination);
/* How many were paused by name, and may more be? */
unsigned int pause_count(void);
bool pause_is_full(void);
/* The first paused name that is not below `from`, or above it; NULL if there
 * is none. Lent until pause_set(). */
const char *pause_from(const char *from);
const char *pause_above(const char *name);

#endif
