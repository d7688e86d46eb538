/*
 * The history: what happened to each message, found by id or by address, and
 * kept for a while after the message is gone. Within the open transaction.
 */
#ifndef QUEUE_STORE_EVENT_H
#define QUEUE_STORE_EVENT_H

#include <stdint.h>

#include "queue/store_row.h"

struct store;

/* Adds the next event of a message. If there are very many (LIMIT_EVENTS), one
 * that ends nothing takes the place of the last, if that ended nothing. */
int store_event_add(struct store *, uint64_t id, const struct row_event *)
    __attribute__((warn_unused_result));
/* The first events, EVENT_ACCEPTED, one for each recipient; also enters the
 * addresses into the index. */
int store_event_accepted(struct store *, uint64_t id, uint32_t number,
    const struct row_event *) __attribute__((warn_unused_result));

/* An event that was kept elsewhere, under the number that it had. */
int store_event_restore(struct store *, uint64_t id, uint32_t number,
    const struct row_event *) __attribute__((warn_unused_result));

/* Where the purge stands; 0 is the start. */
struct store_event_purge {
	uint64_t after;
};

/* Is there anything to purge behind this place? Looks at no more than `most`
 * messages, and moves the place past those that stay. In a read transaction.
 * 1 yes, 0 no (the place is then at the start again, or just further on if
 * `most` was reached), -1 with errno. */
int store_event_purge_seek(struct store *, struct store_event_purge *,
    uint64_t before, unsigned int most) __attribute__((warn_unused_result));
/* Deletes the history of messages that are gone and to which nothing has
 * happened since `before` (seconds): at most `most` rows, all of a message's
 * events or none unless it has more than that. Returns how many messages were
 * forgotten, -1 with errno. In a write transaction. */
int store_event_purge(struct store *, struct store_event_purge *,
    uint64_t before, unsigned int most) __attribute__((warn_unused_result));

#endif
