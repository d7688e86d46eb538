/*
 * The destinations that something happens to now. The others lie in the store
 * only, so that memory does not grow with the queue.
 *
 * A destination has two parts. `row` and what derives from it is the stored
 * part: lifecycle.c changes it inside a write transaction, destinations_flush()
 * writes it, and destinations_reload() takes it back if the commit failed.
 * `lane` is the scheduler's, and in memory only.
 */
#ifndef QUEUE_DESTINATION_H
#define QUEUE_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "common/mail.h"
#include "common/monotime.h"
#include "queue/retry.h"
#include "queue/store_row.h"

struct store;

/* Which of the scheduler's lists a destination is in. */
enum lane_list {
	LANE_NONE,	  /* in none: busy, or not with the scheduler */
	LANE_IDLE,	  /* nothing at all; forgotten after a while */
	LANE_KNOWN,	  /* the same, but it has answered: kept for longer */
	LANE_READY,	  /* has due mail: its turn will come */
	LANE_READY_FRESH, /* and some of it is fresh: sooner */
	LANE_LATER,	  /* waits for a time, in memory */
	LANE_COMING,	  /* waits for its agent */
	/* waits until another one needs less; by standing */
	LANE_FULL_LOCAL,
	LANE_FULL_LOCAL_DOUBTFUL,
	LANE_FULL_SOUND,
	LANE_FULL_UNTRIED,
	LANE_FULL_DOUBTFUL,
	/* likewise, with fresh mail */
	LANE_FULL_FRESH_SOUND,
	LANE_FULL_FRESH_UNTRIED,
	LANE_LISTS
};

struct lane {
	enum lane_list list;
	unsigned int window;	    /* deliveries at once, at most */
	unsigned int in_flight;	    /* deliveries at its agents now */
	uint64_t octets;	    /* of large contents among them */
	unsigned int standing;	    /* enum share_standing, as counted */
	bool answered;		    /* since it is in memory */
	bool took_mail;		    /* since a delivery last ended */
	unsigned int failed;	    /* messages, since it last answered */
	uint64_t failed_id;	    /* the last of them */
	bool asked_for;		    /* the administrator wants a try */
	bool woken;		    /* was told of a free slot */
	unsigned int flights;	    /* recipients not yet committed */
	bool in_doubt;		    /* a report says that the host is
				     * down: the commit says for how long */
	bool sweeping;		    /* looking for what is too late, */
	struct row_place sweep;	    /* from here on */
	struct row_place next;	    /* nothing to hand out is before this */
	bool has_fresh;		    /* mail that was not tried yet, */
	struct row_place fresh;	    /* none of it before this; */
	bool gave_fresh;	    /* and so was what was handed out last */
	bool is_old_turn;	    /* the other mail's turn */
	struct monotime not_before; /* after an agent was lost */
	uint64_t next_due;	    /* LANE_LATER: wall time, 0 for none */
};

struct destination {
	RB_ENTRY(destination) by_name;
	TAILQ_ENTRY(destination) in_changed;
	TAILQ_ENTRY(destination) in_list;
	char *name;
	enum route_kind kind;
	bool changed; /* in this batch */
	/* Its key in the wake index is written even if it stays: it may have
	 * been lost. */
	bool hurried;
	/* The stored part. `reply` points to `reply_text`. */
	struct row_destination row;
	char reply_text[LIMIT_REPLY + 1];
	/* The first time in its due index, when last flushed; 0 for none. */
	uint64_t first_due;
	struct lane lane;
};

TAILQ_HEAD(destination_list, destination);
RB_HEAD(destination_tree, destination);

struct destinations {
	struct destination_tree tree;
	struct destination_list changed;
	unsigned int count;
	unsigned int local; /* of these */
};

void destinations_begin(struct destinations *);
void destinations_end(struct destinations *);

/* What the name says. */
enum route_kind destination_kind(const char *name);
/* NULL if it is not in memory. */
struct destination *destination_find(struct destinations *, const char *name);
/* Finds it in memory, or takes it up from the store in the open transaction;
 * a new one if it is in neither. NULL with errno. */
struct destination *destination_open(struct destinations *, struct store *,
    const char *name) __attribute__((warn_unused_result));
/* Forgets one that is unchanged and in no list (LANE_NONE). */
void destination_close(struct destinations *, struct destination **);

/* Says that the stored part has changed or will. */
void destination_change(struct destinations *, struct destination *);
/* A row was added to its due index. */
void destination_added(struct destination *, const struct row_place *);
/* The same row is for fresh mail, which does not wait for all that is older.
 * What is fresh waits for what came so long before it, not for more: mail that
 * piles up is old. */
#define DESTINATION_FRESH_S 60
void destination_added_fresh(struct destination *, const struct row_place *);

/* The destination as a whole failed: back off, unless it already does. */
void destination_failed(struct destination *, const struct retry_policy *,
    uint64_t now, const char *reply);
/* Somebody answered there: no back-off any more. */
void destination_answered(struct destination *);
/* The administrator wants a try of this row now, whatever the back-off says,
 * and before all others. */
void destination_hurry(struct destination *, const struct row_place *);

/* How it was elsewhere, unless it backs off here already. */
void destination_restore(struct destination *, uint64_t backoff_until,
    uint32_t failures, const char *reply);

/* Writes all changed ones, with their keys in the wake index, in the open
 * write transaction. `now` in seconds. */
int destinations_flush(struct destinations *, struct store *, uint64_t now)
    __attribute__((warn_unused_result));
/* After a failed commit: reads the changed ones again, in the open read
 * transaction. */
int destinations_reload(struct destinations *, struct store *)
    __attribute__((warn_unused_result));

RB_PROTOTYPE(destination_tree, destination, by_name, destination_compare)

#endif
