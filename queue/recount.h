/*
 * How many recipients there are, counted from their own rows: for whoever's
 * count is damaged. It walks over the whole table, in the open transaction.
 */
#ifndef QUEUE_RECOUNT_H
#define QUEUE_RECOUNT_H

#include <stdint.h>

#include "common/mail.h"

struct store;

/* By state, of one destination or, NULL, of all. Rows that are damaged
 * themselves do not count. -1 with errno. */
int recount_recipients(struct store *, const char *destination,
    uint64_t counts[RECIPIENT_STATES]) __attribute__((warn_unused_result));

#endif
