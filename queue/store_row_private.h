/*
 * The ends of each row of the store: a format and a checksum. For store_row*.c
 * only.
 */
#ifndef QUEUE_STORE_ROW_PRIVATE_H
#define QUEUE_STORE_ROW_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/* The first octet of each value. A changed layout gets the next number: of
 * schema 2 are the checksum at the end; the digest, RET and ENVID of messages;
 * NOTIFY, ORCPT and what was told of recipients; events of which only those
 * fields are there that say something. */
#define ROW_FORMAT 2
#define ROW_FORMAT_OLDEST 1

/* So many octets of XXH3-64 end a row. They find what a disk or a memory has
 * changed: without them a row with another letter in an address is as good as
 * any other. */
#define ROW_SUM_SIZE 4

/* A row in `value`, of ROW_VALUE_SIZE octets; and its length, 0 if it did not
 * fit. */
struct wire_writer row_begin(uint8_t *value);
size_t row_end(struct wire_writer *);
/* What is between the ends. `is_old`: it is of the format before checksums. A
 * row that is neither, or was changed, fails. */
struct wire_reader row_open(const void *, size_t, bool *is_old);
/* -1, with EBADMSG, if it failed, or something is left. */
int row_close(const struct wire_reader *, bool in_range)
    __attribute__((warn_unused_result));

#endif
