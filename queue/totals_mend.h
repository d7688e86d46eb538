/*
 * What the store's totals said, counted again: for a row that is damaged.
 */
#ifndef QUEUE_TOTALS_MEND_H
#define QUEUE_TOTALS_MEND_H

struct row_totals;
struct store;

/* In the open transaction. Walks over all messages and recipients. -1 with
 * errno. */
int totals_mend(struct row_totals *, struct store *)
    __attribute__((warn_unused_result));

#endif
