/*
 * The group commit. Everything that is to change in the store is gathered
 * here as an operation and written in one transaction; nothing is answered
 * before that transaction is on the disk.
 *
 * If the transaction fails, new messages are refused with 452 and what frees
 * space (reports, acts) is tried again, at once and then every second, without
 * end: a report that is not committed keeps its recipient in flight, so that
 * nothing is delivered twice because the disk was full for a while.
 */
#ifndef QUEUE_COMMIT_H
#define QUEUE_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mail.h"

struct event_base;
struct flight;
struct lifecycle;
struct lifecycle_report;
struct row_place;
struct submission;
struct telling;

struct commit_handler {
	/* Something was gathered; `full`: as much as one batch may hold. */
	void (*gathered)(bool full);
	/* Durable now. May take the descriptor out of it. */
	void (*accepted)(struct submission *);
	/* The report about it is written, or it was set aside. Takes it. */
	void (*landed)(struct flight *);
	/* A message has left the store. */
	void (*gone)(uint64_t id);
	/* After each batch that was written. */
	void (*committed)(void);
	/* Delivery that was paused may go on. */
	void (*resumed)(void);
	/* The store cannot be written (true), or can again. */
	void (*stalled)(bool);
};

/* `base` may be NULL: then nothing is tried again by itself. */
int commit_start(struct event_base *, struct lifecycle *,
    const struct commit_handler *) __attribute__((warn_unused_result));

/* Takes a whole submission; it will be answered. What has gathered before is
 * written first if the batch would be too large with it: so not inside a
 * transaction. */
void commit_submission(struct submission *take);
/* -1 and ENOMEM if it could not be noted. */
int commit_report(struct flight *, const struct lifecycle_report *)
    __attribute__((warn_unused_result));
/* An address that an agent tried in vain before the next one. Nothing depends
 * on it: what cannot be noted is not. */
void commit_tried(const struct lifecycle_report *);
/* What is told of a verb or a pause. */
enum commit_done {
	COMMIT_UNCHANGED,
	COMMIT_CHANGED,
	COMMIT_BUSY, /* unchanged, and it may be another time soon */
};

/* `uid`: the administrator's. `result`: enum commit_done. */
int commit_verb(enum ctl_verb, uint64_t id, uint32_t number, uint32_t uid,
    void (*done)(int result, void *context), void *context)
    __attribute__((warn_unused_result));
/* Of a destination, or if it is empty of all delivery: see pause.h. */
int commit_pause(const char *destination, bool paused,
    void (*done)(int result, void *context), void *context)
    __attribute__((warn_unused_result));
int commit_set_aside(struct flight *, const struct row_place *,
    const char *reason) __attribute__((warn_unused_result));

/* The report about this message waits until then, in seconds; 0: it is not
 * made. Takes the telling, unless -1. */
int commit_put_off(struct telling *, uint64_t until)
    __attribute__((warn_unused_result));

/* The link is gone: its messages were promised to nobody and are dropped. */
void commit_forget_owner(const void *owner);
/* Nobody waits for the acts of this context. */
void commit_forget_context(const void *context);

/* Writes what has gathered. */
void commit_run(void);
bool commit_is_empty(void);
/* As much as one batch may hold: gather no more, if there is a choice. */
bool commit_is_full(void);

#endif
