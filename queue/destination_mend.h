/*
 * What the row of a destination said, found again in the other tables: for a
 * row that is damaged. Its back-off and its last error are lost, and nothing
 * else is.
 */
#ifndef QUEUE_DESTINATION_MEND_H
#define QUEUE_DESTINATION_MEND_H

struct row_destination;
struct store;

/* In the open transaction. Walks over all recipients and the wake index: the
 * damage should be rare, and a wrong count would stay for good. -1 with
 * errno. */
int destination_mend(struct row_destination *, struct store *, const char *name)
    __attribute__((warn_unused_result));

#endif
