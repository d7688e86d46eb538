/* What happens to messages and recipients, in steps of lifecycle_step.c. */
#include "queue/lifecycle.h"

#include <errno.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "common/id.h"
#include "common/log.h"
#include "queue/destination.h"
#include "queue/lifecycle_rows.h"
#include "queue/lifecycle_step.h"
#include "queue/lifecycle_story.h"
#include "queue/store.h"
#include "queue/store_content.h"
#include "queue/submission.h"
#include "queue/tell.h"

/* -- A new message -------------------------------------------------------- */

int
lifecycle_check_new(struct lifecycle *l, uint64_t id)
{
	struct row_key message = row_key_id(id);
	struct row_key event = row_key_number(id, 0);
	struct bytes value;

	if (store_get(l->store, STORE_MESSAGE, &message, &value) == 0 ||
	    (errno == ENOENT &&
		store_get(l->store, STORE_EVENT, &event, &value) == 0))
		errno = EEXIST;
	return errno == ENOENT ? 0 : -1;
}

static int
accept_content(
    struct lifecycle *l, const struct submission *s, uint64_t *digest)
{
	if (store_content_put(l->store, s->id, s->fd, s->size, digest) == 0)
		return 0;
	if (errno == EPROTO && store_content_delete(l->store, s->id) == 0)
		errno = EPROTO;
	return -1;
}

static int
accept_recipient(
    struct lifecycle *l, const struct submission *s, uint32_t number)
{
	const struct submission_recipient *from = &s->recipients[number];
	struct recipient r;

	r.id = s->id;
	r.number = number;
	r.row = (struct row_recipient){
		.address = from->address,
		.original = from->original,
		.kind = from->kind,
		.name = from->name,
		.user = from->user,
		.destination = from->destination,
		.due = s->arrival / 1000,
		.notify = from->notify,
		.orcpt = from->orcpt,
		.told = from->expanded ? DSN_TOLD_EXPANDED : 0,
	};
	r.destination = rows_open_destination(l, from->destination);
	if (r.destination == NULL ||
	    lifecycle_enter_state(l, &r,
		from->expanded ? RECIPIENT_DELIVERED : RECIPIENT_WAITING) == -1)
		return -1;
	if (!from->expanded)
		destination_added_fresh(r.destination,
		    &(struct row_place){ r.row.due, r.id, number });
	else if (rows_put_report(l, s->arrival / 1000 + TELL_GATHER, s->id) ==
		 -1)
		return -1;
	return story_add_accepted(l, s, number);
}

int
lifecycle_accept(struct lifecycle *l, const struct submission *s)
{
	struct row_message message = {
		.arrival = s->arrival,
		.size = s->size,
		.sender = s->sender,
		.client_address = s->client_address,
		.helo = s->helo,
		.user = s->user,
		.protocol = s->protocol,
		.body = s->body,
		.recipients = s->count,
		.open = s->count,
		.ret = s->ret,
		.envid = s->envid,
	};

	if (lifecycle_check_new(l, s->id) == -1 ||
	    accept_content(l, s, &message.digest) == -1 ||
	    rows_save_message(l, s->id, &message) == -1)
		return -1;
	for (uint32_t i = 0; i < s->count; i++)
		if (accept_recipient(l, s, i) == -1) {
			/* EEXIST and EPROTO promise that nothing changed. */
			if (errno == EEXIST || errno == EPROTO)
				errno = EIO;
			return -1;
		}
	l->totals.messages++;
	l->totals.bytes += s->size;
	return 0;
}

/* -- A message from elsewhere --------------------------------------------- */

/* Long ago: told of as soon as somebody looks. */
#define REPORT_OVERDUE 1

int
lifecycle_restore_message(
    struct lifecycle *l, uint64_t id, const struct row_message *message)
{
	l->totals.messages++;
	l->totals.bytes += message->size;
	return rows_save_message(l, id, message);
}

int
lifecycle_restore_recipient(struct lifecycle *l, uint64_t id, uint32_t number,
    const struct row_recipient *row)
{
	struct recipient r;

	r.id = id;
	r.number = number;
	r.row = *row;
	/* A dump that somebody wrote may have no time; none is never. */
	if (r.row.due == 0)
		r.row.due = 1;
	r.destination = rows_open_destination(l, row->destination);
	if (r.destination == NULL)
		return -1;
	if (lifecycle_enter_state(l, &r, (enum recipient_state)row->state) ==
	    -1)
		return -1;
	/* Those whose sender is still to be told. */
	if (row->state != RECIPIENT_FAILED && row->state != RECIPIENT_DELIVERED)
		return 0;
	return rows_put_report(l, REPORT_OVERDUE, id);
}

/* -- A report ------------------------------------------------------------- */

static enum lifecycle_event
event_of_report(struct lifecycle *l, const struct lifecycle_report *report,
    uint64_t arrival, uint64_t now)
{
	switch (report->outcome) {
	case REPORT_DELIVERED:
		return LIFECYCLE_DELIVERED;
	case REPORT_DEFERRED:
		return retry_is_over(&l->retry, arrival / 1000, now / 1000)
			   ? LIFECYCLE_EXPIRED
			   : LIFECYCLE_DEFERRED;
	case REPORT_FAILED:
	case REPORT_OUTCOMES:
		break;
	}
	return LIFECYCLE_FAILED;
}

/* What the report means for everything else that waits for that host. */
static void
judge_destination(struct lifecycle *l, struct destination *d,
    const struct lifecycle_report *report, uint64_t now)
{
	if (report->unheard)
		return;
	if (report->outcome == REPORT_DEFERRED &&
	    report->scope == REPORT_SCOPE_DESTINATION)
		destination_failed(d, &l->retry, now / 1000, report->reply);
	else if (d->row.failures > 0 || d->row.backoff_until > 0)
		destination_answered(d);
}

/* The mail of a host that is down waits together. Its first answer is to the
 * first attempt that it heard: what was tried in vain before does not count. */
static uint64_t
next_due(struct lifecycle *l, const struct recipient *r,
    const struct lifecycle_report *report, bool was_down, uint64_t now)
{
	uint32_t attempts = was_down ? 1 : r->row.attempts;

	if (report->untried)
		return r->row.due;
	if (report->scope == REPORT_SCOPE_DESTINATION)
		return r->destination->row.backoff_until;
	return now / 1000 + retry_delay(&l->retry, attempts, arc4random());
}

/* The message's row is damaged. Whether its sender can be told all the same
 * whoever makes the report finds out. */
static int
note_unknown(struct lifecycle *l, const struct recipient *r, uint64_t now)
{
	if (r->row.state != RECIPIENT_FAILED)
		return 0;
	return rows_put_report(l, now / 1000 + TELL_GATHER, r->id);
}

static int
apply_report(struct lifecycle *l, struct recipient *r,
    const struct lifecycle_report *report, uint64_t now,
    struct lifecycle_result *result)
{
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_message message;
	uint64_t arrival = id_time(r->id) * 1000;
	enum lifecycle_step step;
	bool was_down, known;

	known = rows_load_message(l, r->id, &message, octets) == 0;
	if (known)
		arrival = message.arrival;
	else if (errno != ENOENT && errno != EBADMSG)
		return -1;
	result->event = event_of_report(l, report, arrival, now);
	if (known && result->event == LIFECYCLE_DELIVERED &&
	    tell_success(&message, &r->row, report->relayed)) {
		result->event = LIFECYCLE_DELIVERED_ASKED;
		r->row.told |= report->relayed ? DSN_TOLD_RELAYED : 0;
	}
	step =
	    lifecycle_step((enum recipient_state)r->row.state, result->event);
	was_down = !report->unheard && r->destination->row.failures > 0;
	judge_destination(l, r->destination, report, now);
	if (step == LIFECYCLE_REFUSED)
		return 0;
	if (!report->untried && r->row.attempts < UINT32_MAX)
		r->row.attempts++;
	r->row.host = report->host;
	r->row.reply = report->reply;
	if (lifecycle_take_step(l, r, step,
		next_due(l, r, report, was_down, now), result) == -1)
		return -1;
	result->applied = true;
	story_tell_report(result, r, report, arrival, now);
	if (story_add_report(l, r, result->event, now, report) == -1)
		return -1;
	if (step == LIFECYCLE_TO_GONE)
		return 0;
	return known ? lifecycle_note_telling(l, r, &message, now, result)
		     : note_unknown(l, r, now);
}

/* The recipient is not there: removed meanwhile, or its row is damaged. */
int
lifecycle_apply_report(struct lifecycle *l,
    const struct lifecycle_report *report, uint64_t now,
    struct lifecycle_result *result)
{
	struct recipient r;

	*result = (struct lifecycle_result){ .applied = false };
	if (rows_load_recipient(l, report->id, report->number, &r) == -1)
		return lifecycle_note_absent(
		    report->id, report->number, result);
	return apply_report(l, &r, report, now, result);
}

int
lifecycle_note_tried(
    struct lifecycle *l, const struct lifecycle_report *report, uint64_t now)
{
	struct row_key key = row_key_id(report->id);
	struct bytes value;

	/* Removed meanwhile: its history has had its end. */
	if (store_get(l->store, STORE_MESSAGE, &key, &value) == -1)
		return errno == ENOENT ? 0 : -1;
	return story_add_tried(l, report, now);
}

/* -- The administrator ---------------------------------------------------- */

static enum lifecycle_event
event_of_verb(enum ctl_verb verb)
{
	switch (verb) {
	case CTL_VERB_RETRY:
		return LIFECYCLE_RETRY;
	case CTL_VERB_HOLD:
		return LIFECYCLE_HOLD;
	case CTL_VERB_RELEASE:
		return LIFECYCLE_RELEASE;
	case CTL_VERB_REMOVE:
		return LIFECYCLE_REMOVE;
	case CTL_VERB_BOUNCE:
		return LIFECYCLE_BOUNCE;
	case CTL_VERB_REDIRECT: /* only with the message to elsewhere */
	case CTL_VERBS:
		break;
	}
	return LIFECYCLE_EVENTS;
}

static int
note_bounce(struct lifecycle *l, struct recipient *r, uint64_t now,
    struct lifecycle_result *result)
{
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_message message;

	if (rows_load_message(l, r->id, &message, octets) == 0)
		return lifecycle_note_telling(l, r, &message, now, result);
	return errno == ENOENT || errno == EBADMSG ? note_unknown(l, r, now)
						   : -1;
}

static bool
is_being_told(const struct lifecycle *l, const struct recipient *r,
    enum lifecycle_step step)
{
	return r->row.state == RECIPIENT_FAILED &&
	       step == LIFECYCLE_TO_WAITING && l->is_telling != NULL &&
	       l->is_telling(r->id);
}

static int
apply_verb(struct lifecycle *l, struct recipient *r, uint32_t uid, uint64_t now,
    struct lifecycle_result *result)
{
	const struct row_event facts = { .by = (uint64_t)uid + 1 };
	enum lifecycle_step step =
	    lifecycle_step((enum recipient_state)r->row.state, result->event);
	uint64_t due = step == LIFECYCLE_TO_WAITING ? now / 1000 : r->row.due;

	if (step == LIFECYCLE_REFUSED)
		return 0;
	if (is_being_told(l, r, step)) {
		result->is_busy = true;
		return 0;
	}
	/* What is due already keeps its place in the row. */
	if (r->row.state == RECIPIENT_WAITING && r->row.due < due)
		due = r->row.due;
	if (step == LIFECYCLE_TO_WAITING || step == LIFECYCLE_TO_FAILED)
		r->row.told &= (uint8_t)~DSN_TOLD_GIVEN_UP;
	if (lifecycle_take_step(l, r, step, due, result) == -1)
		return -1;
	if (result->event == LIFECYCLE_RETRY)
		destination_hurry(r->destination,
		    &(struct row_place){ due, r->id, r->number });
	result->applied = true;
	story_tell_verb(result, r, uid);
	if (story_add(l, r, result->event, now, &facts) == -1)
		return -1;
	return result->event == LIFECYCLE_BOUNCE
		   ? note_bounce(l, r, now, result)
		   : 0;
}

int
lifecycle_apply_verb(struct lifecycle *l, enum ctl_verb verb, uint64_t id,
    uint32_t number, uint32_t uid, uint64_t now,
    struct lifecycle_result *result)
{
	struct recipient r;

	*result = (struct lifecycle_result){ .applied = false };
	result->event = event_of_verb(verb);
	if (result->event == LIFECYCLE_EVENTS)
		return 0;
	if (rows_load_recipient(l, id, number, &r) == -1)
		return lifecycle_note_absent(id, number, result);
	return apply_verb(l, &r, uid, now, result);
}

/* -- Damage --------------------------------------------------------------- */

/* Rows that are passed on the way to one that lies out of order. */
#define OUT_OF_ORDER_MOST 2000

/* A search does not find a row that lies out of order; whoever reads one row
 * after the other meets it again and again. 1: it may be there, further on than
 * this looks. -1 and ENOENT: it is not. */
static int
drop_out_of_order(
    struct lifecycle *l, const char *destination, const struct row_key *wanted)
{
	static const struct row_place start = { 0, 0, 0 };
	struct row_key from = row_key_due(destination, &start);
	struct bytes key, value;
	unsigned int passed = 0;
	int found = store_seek(l->store, STORE_DUE, &from, &key, &value);

	for (; found == 0 && passed < OUT_OF_ORDER_MOST; passed++) {
		if (key.length == wanted->length &&
		    memcmp(key.data, wanted->octets, key.length) == 0)
			return store_delete_here(l->store, STORE_DUE);
		found = store_next(l->store, STORE_DUE, &key, &value);
	}
	return found == 0 ? 1 : -1;
}

/* One that cannot be read has waited here if it is in the due index, and does
 * so no more. */
static int
drop_due(struct lifecycle *l, const char *destination,
    const struct row_place *place, bool is_readable,
    struct lifecycle_result *result)
{
	struct row_key key = row_key_due(destination, place);
	struct recipient lost;
	int dropped;

	lost.destination = rows_open_destination(l, destination);
	lost.row.state = RECIPIENT_WAITING;
	if (lost.destination == NULL)
		return -1;
	dropped = store_delete(l->store, STORE_DUE, &key);
	if (dropped == -1 && errno == ENOENT)
		dropped = drop_out_of_order(l, destination, &key);
	if (dropped == -1)
		return errno == ENOENT ? 0 : -1;
	result->stays = dropped == 1;
	if (dropped == 0 && !is_readable)
		rows_count(l, &lost, -1);
	return 0;
}

/* If not, the index is damaged, and not the recipient: that gets the place
 * that it has by its own word. */
static bool
is_due_here(const struct recipient *r, const char *destination,
    const struct row_place *place)
{
	return strcmp(r->row.destination, destination) == 0 &&
	       r->row.due == place->time;
}

int
lifecycle_set_aside(struct lifecycle *l, const char *destination,
    const struct row_place *place, const char *reason, uint64_t now,
    struct lifecycle_result *result)
{
	struct recipient r;
	const struct row_event facts = { .detail = reason };
	enum lifecycle_step step = LIFECYCLE_REFUSED;
	bool is_readable = true;

	*result = (struct lifecycle_result){ .event = LIFECYCLE_DAMAGED };
	if (rows_load_recipient(l, place->id, place->number, &r) == 0)
		step = lifecycle_step(
		    (enum recipient_state)r.row.state, LIFECYCLE_DAMAGED);
	else if (lifecycle_note_absent(place->id, place->number, result) == -1)
		return -1;
	else
		is_readable = false;
	if (is_readable && !is_due_here(&r, destination, place)) {
		if (step != LIFECYCLE_REFUSED &&
		    lifecycle_take_step(
			l, &r, LIFECYCLE_TO_WAITING, r.row.due, result) == -1)
			return -1;
	} else if (step != LIFECYCLE_REFUSED) {
		r.row.reply = reason;
		if (lifecycle_take_step(l, &r, step, r.row.due, result) == -1 ||
		    story_add(l, &r, LIFECYCLE_DAMAGED, now, &facts) == -1)
			return -1;
		result->applied = true;
	}
	story_tell_damage(result, destination, place, reason);
	return drop_due(l, destination, place, is_readable, result);
}
