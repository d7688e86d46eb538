/*
 * The rows that lifecycle.c works on, in and out of the store, and how many
 * there are. lifecycle_story.c apart nobody else includes this.
 */
#ifndef QUEUE_LIFECYCLE_ROWS_H
#define QUEUE_LIFECYCLE_ROWS_H

#include <stdint.h>

#include "queue/store_row.h"

struct destination;
struct lifecycle;

/* A row that is being changed, with the octets that its texts are lent from:
 * those in the store move with the first write. */
struct recipient {
	uint64_t id;
	uint32_t number;
	struct row_recipient row;
	struct destination *destination;
	uint8_t octets[ROW_VALUE_SIZE];
};

/* Whoever is taken up is marked as changed, so that the flush, and then the
 * scheduler, see all of them. */
struct destination *rows_open_destination(struct lifecycle *, const char *name)
    __attribute__((warn_unused_result));
int rows_load_recipient(struct lifecycle *, uint64_t id, uint32_t number,
    struct recipient *) __attribute__((warn_unused_result));
int rows_save_recipient(struct lifecycle *, const struct recipient *)
    __attribute__((warn_unused_result));
/* 1: the message has recipients, whatever its row says, or rows that may have
 * been some. */
int rows_have_recipients(struct lifecycle *, uint64_t id)
    __attribute__((warn_unused_result));
/* `octets` has ROW_VALUE_SIZE of them; the texts are lent from there. */
int rows_load_message(struct lifecycle *, uint64_t id, struct row_message *,
    uint8_t *octets) __attribute__((warn_unused_result));
int rows_save_message(struct lifecycle *, uint64_t id,
    const struct row_message *) __attribute__((warn_unused_result));
/* Somebody is to be told about this message then, in seconds; there may be
 * more than one such row for it, and one that finds nothing to tell. */
int rows_put_report(struct lifecycle *, uint64_t time, uint64_t id)
    __attribute__((warn_unused_result));
int rows_delete_report(struct lifecycle *, uint64_t time, uint64_t id)
    __attribute__((warn_unused_result));
/* Adds to the counts of the recipient's state, in all and at its destination;
 * `by` is 1 or -1. */
void rows_count(struct lifecycle *, const struct recipient *, int by);

#endif
