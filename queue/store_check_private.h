/*
 * Inside the check of a store. Nobody else includes this.
 */
#ifndef QUEUE_STORE_CHECK_PRIVATE_H
#define QUEUE_STORE_CHECK_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/store_check.h"

/* Destinations by a hash of their names: in each bucket the recipients that
 * were seen less those that the destinations claim, weighed by a hash of
 * destination and state. All zero if all agree. */
#define CHECK_BUCKETS 65536

struct check {
	struct store_check *asked;
	struct store *store;
	uint64_t *buckets;
	unsigned int recounts;
	/* The message that was looked for last. */
	uint64_t last;
	int last_found; /* of check_message() */
	uint32_t last_recipients;
	/* The event that was seen last. */
	uint64_t event_id;
	uint32_t event_number;
	bool event_whole; /* its history has its beginning */
	uint8_t *reports; /* see store_check_reports.c */
};

typedef void check_look(struct check *, struct bytes key, struct bytes value);

void check_fault(struct check *, enum store_table, uint64_t id, int64_t number,
    const char *name, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* Its key makes no sense. */
void check_fault_key(struct check *, enum store_table, struct bytes key);
/* Every row of a table, and whether they are in order and all there. */
void check_walk(struct check *, enum store_table, check_look *);
bool check_exists(struct check *, enum store_table, const struct row_key *);

void check_recipient(struct check *, struct bytes, struct bytes);
void check_message(struct check *, struct bytes, struct bytes);
void check_content_key(struct check *, struct bytes, struct bytes);
void check_due(struct check *, struct bytes, struct bytes);
void check_event(struct check *, struct bytes, struct bytes);
void check_address(struct check *, struct bytes, struct bytes);
void check_destination(struct check *, struct bytes, struct bytes);
void check_wake(struct check *, struct bytes, struct bytes);
void check_report(struct check *, struct bytes, struct bytes);
/* Before the reports, and after the recipients. */
int check_reports_begin(struct check *) __attribute__((warn_unused_result));
void check_reports_end(struct check *);
/* Does whoever waits for a report have one coming? */
void check_is_told(
    struct check *, uint64_t id, uint32_t number, const struct row_recipient *);
void check_totals(struct check *);

/* One recipient in this state more, or so many that a destination claims. */
void check_count(struct check *, const char *destination, unsigned int state);
void check_claim(struct check *, const char *destination, unsigned int state,
    uint64_t count);
/* Do all agree? If not, says of which destinations they do not. */
void check_counts(struct check *);

#endif
