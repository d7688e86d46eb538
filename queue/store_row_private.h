/*
 * Inside the rows: how each value begins and ends. store_row_event.c apart
 * nobody else includes this.
 */
#ifndef QUEUE_STORE_ROW_PRIVATE_H
#define QUEUE_STORE_ROW_PRIVATE_H

#include "queue/store_row.h"

/* With the number of today's format, and with the checksum. row_end() returns
 * the length, or 0 if something did not fit. */
struct wire_writer row_begin(uint8_t *value);
size_t row_end(struct wire_writer *);
/* What stands between the two; `is_old`: a row of the format before there were
 * checksums. */
struct wire_reader row_open(const void *, size_t, bool *is_old);
/* -1 with EBADMSG unless all of it was read, and is in range. */
int row_close(const struct wire_reader *, bool in_range);

#endif
