#include "queue/commit.h"

#include <sys/time.h>

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/monotime.h"
#include "queue/clock.h"
#include "queue/commit_private.h"
#include "queue/destination.h"
#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/stats.h"
#include "queue/store.h"
#include "queue/submission.h"

/* One batch: enough that the wait for the disk is shared by many, and little
 * enough that nobody waits for long. */
#define MOST_OPERATIONS 1024
#define MOST_OCTETS (UINT64_C(32) * 1024 * 1024)

/* For the rows of one recipient, generously: see store_has_room(). So much of
 * the batch it is as well, since its destination may be one more that is in
 * memory until the commit. */
#define RECIPIENT_OCTETS 2048

#define FULL_REPLY "4.3.1 Insufficient system storage"

STAILQ_HEAD(operations, operation);

static struct {
	struct lifecycle *lifecycle;
	const struct commit_handler *handler;
	struct event *again;
	struct operations batch;
	unsigned int count;
	uint64_t octets;
	bool stalled;
} state;

/* -- Gathering ------------------------------------------------------------ */

static void
gather(struct operation *o, uint64_t octets)
{
	o->octets = octets;
	STAILQ_INSERT_TAIL(&state.batch, o, next);
	state.count++;
	state.octets += octets;
	state.handler->gathered(commit_is_full());
}

static void
leave_out(struct operation *o)
{
	STAILQ_REMOVE(&state.batch, o, operation, next);
	state.count--;
	state.octets -= o->octets;
}

/* The pages of a batch are in memory until they are written. */
static void
make_room(uint64_t octets)
{
	if (state.octets > 0 && state.octets + octets > MOST_OCTETS)
		commit_run();
}

void
commit_submission(struct submission *s)
{
	struct operation *o;
	uint64_t octets = s->size + (uint64_t)s->count * RECIPIENT_OCTETS;

	make_room(octets);
	if (state.stalled || !store_has_room(state.lifecycle->store, octets)) {
		commit_refuse(s, 452, FULL_REPLY);
		submission_free(&s);
		return;
	}
	o = operation_new(OPERATION_ACCEPT);
	if (o == NULL) {
		commit_refuse(s, 452, FULL_REPLY);
		submission_free(&s);
		return;
	}
	o->submission = s;
	gather(o, octets);
}

int
commit_report(struct flight *flight, const struct lifecycle_report *report)
{
	struct operation *o = operation_new_report(OPERATION_REPORT, report);

	if (o == NULL)
		return -1;
	o->flight = flight;
	o->report.id = flight->id;
	o->report.number = flight->number;
	gather(o, o->octets);
	return 0;
}

void
commit_tried(const struct lifecycle_report *report)
{
	struct operation *o;

	/* It would only be in the way of what frees space. */
	if (state.stalled)
		return;
	o = operation_new_report(OPERATION_TRIED, report);
	if (o != NULL)
		gather(o, o->octets);
}

int
commit_verb(enum ctl_verb verb, uint64_t id, uint32_t number, uint32_t uid,
    void (*done)(int result, void *context), void *context)
{
	struct operation *o = operation_new(OPERATION_VERB);

	if (o == NULL)
		return -1;
	o->verb = verb;
	o->id = id;
	o->number = number;
	o->uid = uid;
	o->done = done;
	o->context = context;
	gather(o, 0);
	return 0;
}

int
commit_pause(const char *destination, bool paused,
    void (*done)(int result, void *context), void *context)
{
	struct operation *o = operation_new_text(OPERATION_PAUSE, destination);

	if (o == NULL)
		return -1;
	o->paused = paused;
	o->done = done;
	o->context = context;
	gather(o, 0);
	return 0;
}

int
commit_set_aside(
    struct flight *flight, const struct row_place *place, const char *reason)
{
	struct operation *o = operation_new_text(OPERATION_SET_ASIDE, reason);

	if (o == NULL)
		return -1;
	o->flight = flight;
	o->place = *place;
	gather(o, 0);
	return 0;
}

int
commit_put_off(struct telling *telling, uint64_t until)
{
	struct operation *o = operation_new(OPERATION_PUT_OFF);

	if (o == NULL)
		return -1;
	o->telling = telling;
	o->until = until;
	gather(o, 0);
	return 0;
}

void
commit_forget_owner(const void *owner)
{
	struct operation *o, *following;

	STAILQ_FOREACH_SAFE(o, &state.batch, next, following)
	{
		if (o->kind != OPERATION_ACCEPT ||
		    o->submission->owner != owner)
			continue;
		leave_out(o);
		operation_free(o);
	}
}

void
commit_forget_context(const void *context)
{
	struct operation *o;

	STAILQ_FOREACH (o, &state.batch, next)
		if (o->context == context)
			o->done = NULL;
}

bool
commit_is_full(void)
{
	return state.count >= MOST_OPERATIONS || state.octets >= MOST_OCTETS;
}

bool
commit_is_empty(void)
{
	return state.count == 0;
}

/* -- Writing -------------------------------------------------------------- */

static int
write_operations(uint64_t now)
{
	struct lifecycle *l = state.lifecycle;
	struct row_totals before = l->totals;
	struct operation *o;

	STAILQ_FOREACH (o, &state.batch, next)
		if (operation_apply(o, l, now) == -1)
			return -1;
	if (destinations_flush(l->destinations, l->store, now / 1000) == -1)
		return -1;
	return lifecycle_write_totals(l, &before);
}

/* What the memory says is read again from what the disk says. */
static void
take_back(const struct row_totals *before)
{
	struct lifecycle *l = state.lifecycle;

	l->totals = *before;
	if (store_read_begin(l->store) == 0) {
		int result = destinations_reload(l->destinations, l->store);

		store_read_end(l->store);
		if (result == 0)
			return;
	}
	/* It cannot be read either: start anew from the disk. */
	log_error("store-unreadable error=\"%s\"", strerror(errno));
	_exit(EX_IOERR);
}

static void
note_failure(int error)
{
	stats.commits_failed++;
	log_error("store-write-failed operations=%u error=\"%s\"", state.count,
	    strerror(error));
}

static int
write_transaction(void)
{
	struct lifecycle *l = state.lifecycle;
	struct row_totals before = l->totals;
	int error;

	if (store_write_begin(l->store) == -1) {
		error = errno;
		note_failure(error);
		errno = error;
		return -1;
	}
	if (write_operations(clock_milliseconds()) == -1) {
		error = errno;
		store_write_abort(l->store);
	} else if (store_write_commit(l->store) == -1)
		error = errno;
	else
		return 0;
	/* Before what may be the end. */
	note_failure(error);
	take_back(&before);
	errno = error;
	return -1;
}

static int
write_batch(void)
{
	struct monotime start = monotime_now(), end;
	uint64_t took;

	if (write_transaction() == -1) {
		/* What LMDB itself no longer trusts is opened anew by our
		 * successor; nothing of this batch was promised. */
		if (errno == ENOTRECOVERABLE || errno == EUCLEAN)
			_exit(EX_IOERR);
		return -1;
	}
	end = monotime_now();
	took = (uint64_t)(end.nanoseconds - start.nanoseconds) / 1000;
	stats.commits++;
	stats.commit_operations += state.count;
	stats.commit_microseconds += took;
	if (took > stats.commit_longest_microseconds)
		stats.commit_longest_microseconds = took;
	return 0;
}

/* -- Answering ------------------------------------------------------------ */

static void
tell_all(void)
{
	struct operations done = STAILQ_HEAD_INITIALIZER(done);
	struct operation *o;

	/* An answer may gather new operations. */
	STAILQ_CONCAT(&done, &state.batch);
	state.count = 0;
	state.octets = 0;
	while ((o = STAILQ_FIRST(&done)) != NULL) {
		STAILQ_REMOVE_HEAD(&done, next);
		commit_tell(o, state.handler);
		operation_free(o);
	}
	state.handler->committed();
}

static void
refuse_submissions(void)
{
	struct operation *o, *following;

	STAILQ_FOREACH_SAFE(o, &state.batch, next, following)
	{
		if (o->kind != OPERATION_ACCEPT)
			continue;
		leave_out(o);
		commit_refuse(o->submission, 452, FULL_REPLY);
		operation_free(o);
	}
}

static void
stall(bool stalled)
{
	static const struct timeval second = { 1, 0 };

	if (stalled && state.again != NULL)
		evtimer_add(state.again, &second);
	if (state.stalled == stalled)
		return;
	state.stalled = stalled;
	if (!stalled)
		log_info("store-writable-again");
	state.handler->stalled(stalled);
}

void
commit_run(void)
{
	if (state.count == 0 || (state.stalled && state.again != NULL &&
				    evtimer_pending(state.again, NULL)))
		return;
	if (write_batch() == -1) {
		refuse_submissions();
		if (state.count > 0 && write_batch() == -1) {
			stall(true);
			return;
		}
	}
	stall(false);
	tell_all();
}

static void
on_again(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	commit_run();
}

int
commit_start(struct event_base *base, struct lifecycle *lifecycle,
    const struct commit_handler *handler)
{
	memset(&state, 0, sizeof(state));
	STAILQ_INIT(&state.batch);
	state.lifecycle = lifecycle;
	state.handler = handler;
	if (base == NULL)
		return 0;
	state.again = evtimer_new(base, on_again, NULL);
	if (state.again != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}
