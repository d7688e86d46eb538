/* What the queue's tests share: cmocka, a store in a directory of its own, a
 * clock that stands still, and the proof that a store is whole. */
#ifndef TESTS_UNIT_QUEUE_TEST_H
#define TESTS_UNIT_QUEUE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mail.h"
#include "queue/destination.h"
#include "queue/lifecycle.h"
#include "queue/store.h"
#include "queue/submission.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIB (UINT64_C(1024) * 1024)

/* Milliseconds since the epoch: what queue/clock.c says in these tests. */
extern uint64_t house_now;

/* A store in a new directory, and what works on it. */
struct house {
	char directory[64];
	struct store *store;
	struct destinations destinations;
	struct lifecycle lifecycle;
};

void house_open(struct house *, uint64_t map_size);
/* As if the process were killed: what was not committed is gone. */
void house_crash(struct house *);
void house_close(struct house *);

/* Ids that were made at house_now. */
uint64_t house_id(void);
/* A submission of so many octets to these addresses, ending in NULL; an
 * address @local.test is a local user's, others go by MX. */
struct submission *house_mail(size_t size, const char *const *recipients);
/* Is this the content of such a submission? */
void house_is_content(int fd, uint64_t size);
/* One transaction that accepts it; returns its id. */
uint64_t house_accept(struct house *, size_t size, const char *const *);
/* One transaction that applies a report. */
void house_report(struct house *, uint64_t id, uint32_t number,
    enum report_outcome, enum report_scope, struct lifecycle_result *);
/* One transaction that applies a verb: was it applied? */
bool house_act(struct house *, enum ctl_verb, uint64_t id, uint32_t number);

/* Rows in a table. */
unsigned int house_count(struct house *, enum store_table);
/* The row; its texts are good until the next call. */
bool house_recipient(
    struct house *, uint64_t id, uint32_t number, struct row_recipient *);
bool house_destination(
    struct house *, const char *name, struct row_destination *);
struct store_fault;
/* Gives each fault of the store to the function, and says how many there are
 * and what the rows add up to. */
unsigned int house_faults(struct house *,
    void (*)(const struct store_fault *, void *), void *context,
    struct row_totals *);
/* Fails the test unless every row agrees with every other. */
void house_is_sound(struct house *);

#endif
