/* What each operation does to the store, in the open write transaction. */
#include <errno.h>
#include <stdlib.h>

#include "queue/commit_private.h"
#include "queue/destination.h"
#include "queue/flight.h"
#include "queue/pause.h"
#include "queue/redirection.h"
#include "queue/submission.h"

/* Nothing of it was done yet. */
static int
refuse(struct operation *o, const char *reply)
{
	o->code = 451;
	o->reply = reply;
	return 0;
}

/* What the message settles besides being here. */
static int
apply_purpose(struct operation *o, struct lifecycle *l, uint64_t now)
{
	const struct submission *s = o->submission;

	if (s->telling != NULL)
		return lifecycle_apply_telling(
		    l, s->telling, s->id, now, &o->result);
	if (s->redirection != NULL)
		return lifecycle_apply_redirection(
		    l, s->redirection, s->id, now, &o->result);
	return 0;
}

/* A message that cannot be taken does not spoil the batch. */
static int
apply_submission(struct operation *o, struct lifecycle *l, uint64_t now)
{
	const struct submission *s = o->submission;

	o->code = 250;
	o->reply = "2.0.0 Ok: queued";
	o->result = (struct lifecycle_result){ .applied = false };
	if (s->redirection != NULL) {
		int may = s->redirection->is_busy(s->redirection)
			      ? 0
			      : lifecycle_may_redirect(l, s->redirection);

		if (may != 1)
			return may == -1 ? -1 : refuse(o, REDIRECTION_BUSY);
	}
	if (lifecycle_accept(l, s) == 0)
		return apply_purpose(o, l, now);
	if (errno != EEXIST && errno != EPROTO)
		return -1;
	return refuse(o, errno == EEXIST
			     ? "4.3.0 Duplicate message identifier"
			     : "4.3.0 The message could not be read");
}

/* What an agent has in hand is not given up: its sender would hear that it
 * failed, and it may be delivered. */
static int
apply_verb(struct operation *o, struct lifecycle *l, uint64_t now)
{
	if (o->verb != CTL_VERB_BOUNCE || !flight_exists(o->id, o->number))
		return lifecycle_apply_verb(
		    l, o->verb, o->id, o->number, o->uid, now, &o->result);
	o->result = (struct lifecycle_result){ .is_busy = true };
	return 0;
}

int
operation_apply(struct operation *o, struct lifecycle *l, uint64_t now)
{
	free(o->result.line);
	o->result.line = NULL;
	switch (o->kind) {
	case OPERATION_ACCEPT:
		return apply_submission(o, l, now);
	case OPERATION_REPORT:
		return lifecycle_apply_report(l, &o->report, now, &o->result);
	case OPERATION_TRIED:
		return lifecycle_note_tried(l, &o->report, now);
	case OPERATION_VERB:
		return apply_verb(o, l, now);
	case OPERATION_PAUSE:
		o->result.applied = pause_is_set(o->reply) != o->paused;
		return pause_write(l->store, o->reply, o->paused);
	case OPERATION_SET_ASIDE:
		return lifecycle_set_aside(l, o->flight->destination->name,
		    &o->place, o->reply, now, &o->result);
	case OPERATION_PUT_OFF:
		return lifecycle_put_off(
		    l, o->telling, o->until, now, &o->result);
	}
	return 0;
}
