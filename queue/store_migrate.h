/*
 * From the schema of an older postern to ours.
 *
 * A step is done in the one transaction that opens the store and that writes
 * the new number too: either both are on disk or neither is, and a crash
 * leaves the old store as it was. So a step may not touch each row; rows say
 * by their format number how they are to be read, and stay as they are until
 * they change for some other reason.
 */
#ifndef QUEUE_STORE_MIGRATE_H
#define QUEUE_STORE_MIGRATE_H

#include <stdint.h>

struct store;

/* In the open write transaction. ENOTSUP: `from` is newer than ours. EUCLEAN:
 * there never was such a schema. */
int store_migrate(struct store *, uint32_t from)
    __attribute__((warn_unused_result));

#endif
