/*
 * The life of a message and of each of its recipients. lifecycle_step.c is the
 * only file that changes a state, by the table of all (state, event) pairs in
 * lifecycle_table.c.
 *
 * All of these work inside the open write transaction. -1 with errno means
 * that the transaction is to be aborted, except where noted.
 */
#ifndef QUEUE_LIFECYCLE_H
#define QUEUE_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mail.h"
#include "queue/retry.h"
#include "queue/store_row.h"

struct destinations;
struct redirection;
struct store;
struct submission;
struct telling;

/* What can happen to a recipient. */
enum lifecycle_event {
	LIFECYCLE_DELIVERED,	   /* an agent reports */
	LIFECYCLE_DELIVERED_ASKED, /* and the sender wants to know */
	LIFECYCLE_DEFERRED,
	LIFECYCLE_EXPIRED, /* deferred, and tried for long enough */
	LIFECYCLE_FAILED,
	LIFECYCLE_RETRY, /* the administrator asks */
	LIFECYCLE_HOLD,
	LIFECYCLE_RELEASE,
	LIFECYCLE_REMOVE,
	LIFECYCLE_DAMAGED,    /* its rows or content cannot be read */
	LIFECYCLE_BOUNCE,     /* the administrator gives it up */
	LIFECYCLE_TOLD,	      /* a report of its failure is in the queue */
	LIFECYCLE_WARNED,     /* or one of its delay */
	LIFECYCLE_REDIRECTED, /* a message to elsewhere is in the queue */
	LIFECYCLE_EVENTS
};

/* Where that leads. */
enum lifecycle_step {
	LIFECYCLE_REFUSED, /* does not apply in this state: nothing changes */
	LIFECYCLE_TO_WAITING,
	LIFECYCLE_TO_HELD,
	LIFECYCLE_TO_FAILED,
	LIFECYCLE_TO_DELIVERED,
	LIFECYCLE_TO_GONE, /* the recipient's row is deleted */
};

/* The table. Pure. */
enum lifecycle_step lifecycle_step(enum recipient_state, enum lifecycle_event);

struct lifecycle {
	struct store *store;
	struct destinations *destinations;
	struct retry_policy retry;
	struct row_totals totals; /* of the store, kept up to date */
	unsigned int warn_after;  /* seconds; 0: nobody is warned */
	bool reports_changed;	  /* somebody is to be told, see tell.h */
	/* Is a report about this message under way? NULL: there are none. */
	bool (*is_telling)(uint64_t id);
};

/* What an agent says about one recipient. Texts are lent. */
struct lifecycle_report {
	uint64_t id;
	uint32_t number;
	enum report_outcome outcome;
	enum report_scope scope;
	const char *host;
	const char *reply;
	bool relayed; /* to a host that will not report success itself */
	/* The host, if one was connected to (see message.def); for writing, NULL
	 * is "". */
	const char *name;
	const char *address;
	uint16_t port;
	const char *tls_version;
	const char *tls_cipher;
	uint32_t took; /* milliseconds */
	bool unheard;  /* the agent did not say this: nothing is known of the
		       * destination */
	bool untried;  /* nor was it given to one: its host is down for others.
		       * It keeps its place in the due index */
};

/* What became of it, for the log and the statistics. */
struct lifecycle_result {
	bool applied; /* false: the recipient is not here, or REFUSED */
	bool is_busy; /* REFUSED only for now: its sender is being told */
	bool stays;   /* damage that may still be in the due index */
	enum lifecycle_event event;
	bool message_gone; /* it was the last recipient */
	char *line;	   /* for the log, after the commit; to be freed */
};

/* Reads the totals, in the open transaction. */
int lifecycle_begin(struct lifecycle *) __attribute__((warn_unused_result));
/* Writes them if they changed. */
int lifecycle_write_totals(struct lifecycle *, const struct row_totals *before)
    __attribute__((warn_unused_result));

/* A new message, to be tried at once. EEXIST: its id is not new, and nothing
 * was changed. EPROTO: its content cannot be read, and nothing was changed. */
int lifecycle_accept(struct lifecycle *, const struct submission *)
    __attribute__((warn_unused_result));
/* A message that was kept elsewhere, as it was there. EEXIST: its id is not
 * new. */
int lifecycle_check_new(struct lifecycle *, uint64_t id)
    __attribute__((warn_unused_result));
int lifecycle_restore_message(struct lifecycle *, uint64_t id,
    const struct row_message *) __attribute__((warn_unused_result));
int lifecycle_restore_recipient(struct lifecycle *, uint64_t id,
    uint32_t number, const struct row_recipient *)
    __attribute__((warn_unused_result));
/* `now` in milliseconds. */
int lifecycle_apply_report(struct lifecycle *, const struct lifecycle_report *,
    uint64_t now, struct lifecycle_result *)
    __attribute__((warn_unused_result));
/* `uid`: the administrator's. What has failed is not tried again while a report
 * of that is under way: its sender would hear that it failed, and it might be
 * delivered. */
int lifecycle_apply_verb(struct lifecycle *, enum ctl_verb, uint64_t id,
    uint32_t number, uint32_t uid, uint64_t now, struct lifecycle_result *)
    __attribute__((warn_unused_result));
/* The host of this report, which is about no recipient, did not take the
 * message, and another one is tried: only the history changes. */
int lifecycle_note_tried(struct lifecycle *, const struct lifecycle_report *,
    uint64_t now) __attribute__((warn_unused_result));
/* The report `report` about these recipients was accepted in this very
 * transaction: so they are told of exactly once. */
int lifecycle_apply_telling(struct lifecycle *, const struct telling *,
    uint64_t report, uint64_t now, struct lifecycle_result *)
    __attribute__((warn_unused_result));
/* The report about this message is made at another time, in seconds; 0: never,
 * and only what has failed still waits for the administrator. */
int lifecycle_put_off(struct lifecycle *, const struct telling *,
    uint64_t until, uint64_t now, struct lifecycle_result *)
    __attribute__((warn_unused_result));
/* May all of these recipients leave in favour of another message? 1 or 0; it
 * changes nothing. Their numbers must ascend, so that none is there twice. */
int lifecycle_may_redirect(struct lifecycle *, const struct redirection *)
    __attribute__((warn_unused_result));
/* The message `made`, which takes their place, was accepted in this very
 * transaction: so they are in one of the two, always. */
int lifecycle_apply_redirection(struct lifecycle *, const struct redirection *,
    uint64_t made, uint64_t now, struct lifecycle_result *)
    __attribute__((warn_unused_result));
/* Takes a damaged recipient out of the way: held if its row can be read, else
 * only out of the due index, where it was found at `place`. */
int lifecycle_set_aside(struct lifecycle *, const char *destination,
    const struct row_place *, const char *reason, uint64_t now,
    struct lifecycle_result *) __attribute__((warn_unused_result));

#endif
