/*
 * What may be asked about the queue, and what may be done to it by hand: the
 * whole of what link_control.c needs to know about the rest.
 *
 * Every walk is in steps: a step looks at no more than `most` rows inside one
 * short read transaction and leaves its place, so that nothing is held open
 * across turns of the event loop. Rows and texts are lent during the call
 * back only. A call back returns false to stop before its row was taken: the
 * place then stays at that row.
 *
 * Walks return 1 if there is more, 0 at the end, -1 with errno.
 */
#ifndef QUEUE_QUERY_H
#define QUEUE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mail.h"
#include "queue/store_row.h"

struct store;

/* Which recipients are meant; empty texts and zeroes match all, as in
 * CTL_LIST. Addresses and the destination match whole, in any case, an address
 * that begins with "@" as a domain; `text` is looked for in the last reply, in
 * any case. */
struct query_filter {
	uint64_t id;
	const char *sender;
	const char *recipient; /* the address or the original one */
	const char *destination;
	const char *text;
	uint64_t age;  /* in seconds, at least */
	uint64_t size; /* of the message, in octets, at least */
	uint8_t state; /* enum recipient_state + 1 */
	uint64_t last; /* messages beyond this id are not looked at; 0: all */
};

struct query_item {
	uint64_t id;
	uint32_t number;
	const struct row_message *message;
	const struct row_recipient *recipient;
	uint64_t next_try; /* the destination's back-off counted in */
	bool in_flight;
	enum pause_kind paused;
};

/* Where a walk stands; all zero is the start. */
struct query_place {
	uint64_t id;
	uint32_t number;
};

/* One destination: what the store says, and what the scheduler knows. */
struct query_destination {
	const char *name;
	const struct row_destination *row;
	unsigned int in_flight;	 /* recipients */
	unsigned int deliveries; /* at agents now, */
	unsigned int window;	 /* of at most so many */
	enum pause_kind paused;
};

struct query_stat {
	const char *name;
	const char *help;
	uint64_t value;
	bool rises; /* a counter: it never falls while this process lives */
};

void query_start(struct store *);

int query_items(const struct query_filter *, struct query_place *,
    unsigned int most, bool (*each)(const struct query_item *, void *),
    void *context) __attribute__((warn_unused_result));

/* The greatest id of a message that has recipients here: ids rise. -1 with
 * errno; ENOENT if there is none. */
int query_newest(uint64_t *id) __attribute__((warn_unused_result));

/* Those among them that wait for this destination, the next try first: no
 * other row is looked at. One that is put off meanwhile may come twice. */
int query_line(const char *destination, const struct query_filter *,
    struct row_place *, unsigned int most,
    bool (*each)(const struct query_item *, void *), void *context)
    __attribute__((warn_unused_result));
/* How many there are held or have failed, which stand in no line. */
int query_kept(const char *destination, uint64_t *kept)
    __attribute__((warn_unused_result));

/* The destinations that have mail or are paused by name, in the order of their
 * names; an empty `wanted` means all. `place` has LIMIT_DESTINATION + 1 octets
 * and starts as the empty text. */
int query_destinations(const char *wanted, char *place, unsigned int most,
    bool (*each)(const struct query_destination *, void *), void *context)
    __attribute__((warn_unused_result));

/* Calls `each` once with the message. -1 and ENOENT if it is not here. */
int query_message(uint64_t id,
    void (*each)(uint64_t id, const struct row_message *, void *),
    void *context) __attribute__((warn_unused_result));

/* A new sealed memfd with the message's content. -1 with errno; ENOENT if
 * there is no such message, EIO if its content is damaged. */
int query_content(uint64_t id) __attribute__((warn_unused_result));

/* The history of one message in order; `place` starts at 0. */
int query_events(uint64_t id, uint32_t *place, unsigned int most,
    bool (*each)(uint64_t id, const struct row_event *, void *), void *context)
    __attribute__((warn_unused_result));

/* The ids of messages from or to this address, also of those that are gone,
 * that are below `before`, the greatest first: no others are looked at.
 * Returns how many, at most `most`; -1 on error. */
int query_ids(const char *address, uint64_t before, uint64_t *ids,
    unsigned int most) __attribute__((warn_unused_result));

/* Puts an act of that user on one recipient into the next commit, in flight or not.
 * `done` is told after the commit: enum commit_done.
 * -1 with errno if it could not even be noted; then `done` is not called. */
int query_act(enum ctl_verb, uint64_t id, uint32_t number, uint32_t uid,
    void (*done)(int result, void *context), void *context)
    __attribute__((warn_unused_result));
/* Likewise lets nothing be delivered to a destination, or if it is empty at
 * all, or lets it go on. 1 if there is no place for another name. */
int query_pause(const char *destination, bool paused,
    void (*done)(int result, void *context), void *context)
    __attribute__((warn_unused_result));
/* Is all delivery paused, and how many destinations by name? */
bool query_paused(unsigned int *named);
/* Nobody waits for the acts with this context any more. */
void query_forget(void *context);

/* Every counter and gauge, in a fixed order. Stops when `each` says false. */
void query_stats(
    bool (*each)(const struct query_stat *, void *context), void *context);

#endif
