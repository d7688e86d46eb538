/*
 * What the whole store holds, as its row in `meta` says; counted again from the
 * other tables if that row is damaged. In the open transaction.
 */
#ifndef QUEUE_TOTALS_H
#define QUEUE_TOTALS_H

struct row_totals;
struct store;

/* All zero if there is no row yet. -1 with errno. */
int totals_read(struct row_totals *, struct store *)
    __attribute__((warn_unused_result));
int totals_write(const struct row_totals *, struct store *)
    __attribute__((warn_unused_result));

#endif
