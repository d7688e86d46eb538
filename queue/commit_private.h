/*
 * Inside the commit. commit.c gathers operations and writes them in one
 * transaction; commit_operation.c makes them, commit_apply.c says what each does
 * to the store, commit_tell.c what is said of it afterwards. Nobody else
 * includes this.
 */
#ifndef QUEUE_COMMIT_PRIVATE_H
#define QUEUE_COMMIT_PRIVATE_H

#include <stdint.h>

#include <bsd/sys/queue.h>

#include "queue/commit.h"
#include "queue/lifecycle.h"

enum operation_kind {
	OPERATION_ACCEPT,
	OPERATION_REPORT,
	OPERATION_VERB,
	OPERATION_SET_ASIDE,
	OPERATION_PAUSE,
	OPERATION_PUT_OFF,
	OPERATION_TRIED,
};

struct operation {
	STAILQ_ENTRY(operation) next;
	enum operation_kind kind;
	uint64_t octets; /* of the batch */
	/* OPERATION_ACCEPT */
	struct submission *submission;
	unsigned int code;
	const char *reply;
	/* OPERATION_REPORT, OPERATION_SET_ASIDE, OPERATION_TRIED */
	struct flight *flight;
	struct lifecycle_report report;
	struct row_place place;
	/* OPERATION_PAUSE: what in `reply`, and who is told below */
	bool paused;
	/* OPERATION_PUT_OFF */
	struct telling *telling;
	uint64_t until;
	/* OPERATION_VERB */
	enum ctl_verb verb;
	uint32_t uid;
	uint64_t id;
	uint32_t number;
	void (*done)(int, void *);
	void *context;
	/* What came of it, in the transaction that was tried last. */
	struct lifecycle_result result;
	char texts[]; /* of the report */
};

/* NULL without memory. The text becomes `reply`; of a report all texts are
 * kept, and `octets` counts them. */
struct operation *operation_new(enum operation_kind)
    __attribute__((warn_unused_result));
struct operation *operation_new_text(enum operation_kind, const char *text)
    __attribute__((warn_unused_result));
struct operation *operation_new_report(enum operation_kind,
    const struct lifecycle_report *) __attribute__((warn_unused_result));
/* With the submission or the telling that it took. */
void operation_free(struct operation *);

/* `now` in milliseconds. May be called again, if the transaction failed. -1
 * with errno: it is to be aborted. */
int operation_apply(struct operation *, struct lifecycle *, uint64_t now)
    __attribute__((warn_unused_result));

/* A message is not taken. */
void commit_refuse(struct submission *, unsigned int code, const char *reply);
/* The operation is durable: whoever asked for it is answered. */
void commit_tell(struct operation *, const struct commit_handler *);

#endif
