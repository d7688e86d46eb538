/*
 * Inside the answering of a question: what the files control_*.c share. Each
 * kind of question is a step function; it is called until it says that it is
 * done. control_work.c chooses it; it uses control_answer.c.
 */
#ifndef QUEUE_CONTROL_PRIVATE_H
#define QUEUE_CONTROL_PRIVATE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/mail.h"
#include "queue/control_work.h"
#include "queue/query.h"

/* Rows looked at in one step: some tens of microseconds each at most. */
#define STEP_ROWS 128
/* The same for a user, whose rows lie all over the store: on a disk, perhaps. */
#define OWN_ROWS 32
/* Acts that wait for one commit. */
#define BATCH 128
/* Messages whose life `trace ADDRESS` tells. */
#define TRACE_IDS 100

struct target {
	uint64_t id;
	uint32_t number;
};

struct control_work {
	struct channel *channel;
	uint32_t handle;
	uid_t uid;
	char own[LIMIT_DESTINATION + 1]; /* as in control_peer.h */
	enum control_progress (*step)(struct control_work *);
	void (*wake)(void *);
	void *context;

	struct query_filter filter; /* its texts are the four below */
	char sender[LIMIT_PATH + 1];
	char recipient[LIMIT_PATH + 1];
	char destination[LIMIT_DESTINATION + 1];
	char text[LIMIT_REPLY + 1];
	bool null_sender; /* the filter means bounces only */
	struct query_place place;
	struct row_place own_place;
	/* Where a walk of the destinations stands. */
	char destination_place[LIMIT_DESTINATION + 1];
	uint64_t matched; /* recipients that the filter meant */

	enum ctl_verb verb;
	bool dry_run;
	bool pause;  /* not resume */
	int error;   /* why nothing can be begun */
	bool walked; /* the filter has been applied to everything */
	struct target batch[BATCH];
	unsigned int batched;
	unsigned int pending; /* of the batch, not committed yet */
	uint64_t done;	      /* or listed */
	uint64_t failed;
	uint64_t busy; /* may be changed another time soon */

	/* Of a redirection: where to, and the recipients of one message that
	 * were found so far. */
	char to[LIMIT_PATH + 1];
	uint32_t *group;
	unsigned int group_count;
	unsigned int group_room;
	uint64_t group_id;
	bool group_ended;
	bool any_deferred; /* asking again may help */

	char address[LIMIT_PATH + 1];
	uint64_t ids[TRACE_IDS + 1]; /* the newest first */
	unsigned int id_count;	     /* that are still to be told of */
	bool older;		     /* there are others */
	uint32_t event;
	uint64_t events;
};

enum control_progress control_step_list(struct control_work *);
enum control_progress control_step_own(struct control_work *);
enum control_progress control_step_nothing(struct control_work *);
enum control_progress control_step_show(struct control_work *);
enum control_progress control_step_act(struct control_work *);
enum control_progress control_step_redirect(struct control_work *);
enum control_progress control_step_ids(struct control_work *);
enum control_progress control_step_events(struct control_work *);
enum control_progress control_step_stats(struct control_work *);
enum control_progress control_step_destinations(struct control_work *);
enum control_progress control_step_pause(struct control_work *);

/* Does the filter mean it, and may the asker know of it? What query.h cannot
 * say is said here. */
bool control_means(const struct control_work *, const struct query_item *);
bool control_may_know(const struct control_work *, const char *destination);
/* Would the verb change this recipient? */
bool control_would_act(const struct control_work *, const struct query_item *);
/* How many rows it may look at in one step. */
unsigned int control_rows(const struct control_work *);
/* Another message may be sent now. */
bool control_has_room(const struct control_work *);
/* A message about this id, or about none if that is zero. */
void control_send(struct control_work *, struct message *, uint64_t id);
/* CTL_END. `code` is one of sysexits(3). */
enum control_progress control_end(
    struct control_work *, int code, uint64_t count, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, for a store that could not be read (errno), */
enum control_progress control_end_broken(struct control_work *);
/* and for a message that is not in the queue. */
enum control_progress control_end_unknown(struct control_work *, uint64_t id);
/* One line in the log, when the act is over. */
void control_log_act(const struct control_work *);

#endif
