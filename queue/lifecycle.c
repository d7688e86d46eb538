/* The transitions themselves, as the table in lifecycle_table.c has them. */
#include "queue/lifecycle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "common/id.h"
#include "common/log.h"
#include "queue/destination.h"
#include "queue/lifecycle_rows.h"
#include "queue/lifecycle_story.h"
#include "queue/redirection.h"
#include "queue/store.h"
#include "queue/store_content.h"
#include "queue/submission.h"
#include "queue/tell.h"

/* -- Transitions ---------------------------------------------------------- */

static int
leave_state(struct lifecycle *l, struct recipient *r)
{
	struct row_place place = { r->row.due, r->id, r->number };
	struct row_key key = row_key_due(r->row.destination, &place);

	rows_count(l, r, -1);
	if (r->row.state != RECIPIENT_WAITING)
		return 0;
	if (store_delete(l->store, STORE_DUE, &key) == -1 && errno != ENOENT)
		return -1;
	return 0;
}

static int
enter_state(
    struct lifecycle *l, struct recipient *r, enum recipient_state state)
{
	struct row_place place = { r->row.due, r->id, r->number };
	struct row_key key = row_key_due(r->row.destination, &place);

	r->row.state = (uint8_t)state;
	rows_count(l, r, 1);
	if (rows_save_recipient(l, r) == -1)
		return -1;
	if (state != RECIPIENT_WAITING)
		return 0;
	destination_added(r->destination, &place);
	return store_put(l->store, STORE_DUE, &key, "", 0);
}

static int
delete_message(struct lifecycle *l, uint64_t id, uint64_t size)
{
	struct row_key key = row_key_id(id);

	if (l->totals.messages > 0)
		l->totals.messages--;
	l->totals.bytes -= size < l->totals.bytes ? size : l->totals.bytes;
	if (store_delete(l->store, STORE_MESSAGE, &key) == -1 &&
	    errno != ENOENT)
		return -1;
	return store_content_delete(l->store, id);
}

/* Only now, with the last recipient, does the message go. What it says of
 * itself may be damaged: it goes if there are none, and not before. */
static int
close_recipient(
    struct lifecycle *l, struct recipient *r, struct lifecycle_result *result)
{
	struct row_key key = row_key_number(r->id, r->number);
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_message message = { .open = 0 };
	int more;

	if (store_delete(l->store, STORE_RECIPIENT, &key) == -1)
		return -1;
	more = rows_have_recipients(l, r->id);
	if (more == -1)
		return -1;
	if (rows_load_message(l, r->id, &message, octets) == -1) {
		if (errno != ENOENT && errno != EBADMSG)
			return -1;
		log_error("message-damaged id=%s", id_format(r->id).text);
		if (more == 1)
			return 0;
		message.size = 0;
	}
	if (more == 1) {
		message.open -= message.open > 1;
		return rows_save_message(l, r->id, &message);
	}
	result->message_gone = true;
	return delete_message(l, r->id, message.size);
}

static int
take_step(struct lifecycle *l, struct recipient *r, enum lifecycle_step step,
    uint64_t due, struct lifecycle_result *result)
{
	if (step == LIFECYCLE_REFUSED)
		return 0;
	if (leave_state(l, r) == -1)
		return -1;
	r->row.due = due;
	switch (step) {
	case LIFECYCLE_TO_WAITING:
		return enter_state(l, r, RECIPIENT_WAITING);
	case LIFECYCLE_TO_HELD:
		return enter_state(l, r, RECIPIENT_HELD);
	case LIFECYCLE_TO_FAILED:
		return enter_state(l, r, RECIPIENT_FAILED);
	case LIFECYCLE_TO_DELIVERED:
		return enter_state(l, r, RECIPIENT_DELIVERED);
	case LIFECYCLE_TO_GONE:
		return close_recipient(l, r, result);
	case LIFECYCLE_REFUSED:
		break;
	}
	return 0;
}

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
	    enter_state(l, &r,
		from->expanded ? RECIPIENT_DELIVERED : RECIPIENT_WAITING) == -1)
		return -1;
	if (from->expanded &&
	    rows_put_report(l, s->arrival / 1000 + TELL_GATHER, s->id) == -1)
		return -1;
	destination_added_fresh(
	    r.destination, &(struct row_place){ r.row.due, r.id, number });
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
	r.destination = rows_open_destination(l, row->destination);
	if (r.destination == NULL)
		return -1;
	if (enter_state(l, &r, (enum recipient_state)row->state) == -1)
		return -1;
	/* Those whose sender is still to be told. */
	if (row->state != RECIPIENT_FAILED && row->state != RECIPIENT_DELIVERED)
		return 0;
	return rows_put_report(l, REPORT_OVERDUE, id);
}

/* -- Telling the sender ---------------------------------------------------- */

/* It stays, and is listed; no row of the report index waits for it. */
static int
give_up(struct lifecycle *l, struct recipient *r)
{
	r->row.told |= DSN_TOLD_GIVEN_UP;
	return rows_save_recipient(l, r);
}

/* Nobody wants to know, or can: a failed recipient does not wait for it. */
static int
end_untold(struct lifecycle *l, struct recipient *r,
    const struct row_message *message, struct lifecycle_result *result)
{
	if (!tell_is_notice(message))
		return take_step(l, r,
		    lifecycle_step(RECIPIENT_FAILED, LIFECYCLE_TOLD),
		    r->row.due, result);
	log_error("notice-undeliverable id=%s to=\"%s\"", id_format(r->id).text,
	    log_text(r->row.address));
	return give_up(l, r);
}

/* After an event: is there something that the sender is to be told? */
static int
note_telling(struct lifecycle *l, struct recipient *r,
    const struct row_message *message, uint64_t now,
    struct lifecycle_result *result)
{
	enum tell_what what = tell_what(message, &r->row, l->warn_after, now);

	if (what != TELL_NOTHING)
		return rows_put_report(l, now / 1000 + TELL_GATHER, r->id);
	return r->row.state == RECIPIENT_FAILED
		   ? end_untold(l, r, message, result)
		   : 0;
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

	if (report->scope == REPORT_SCOPE_DESTINATION)
		return r->destination->row.backoff_until;
	return now / 1000 + retry_delay(&l->retry, attempts, arc4random());
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
	if (r->row.attempts < UINT32_MAX)
		r->row.attempts++;
	r->row.host = report->host;
	r->row.reply = report->reply;
	if (take_step(l, r, step, next_due(l, r, report, was_down, now),
		result) == -1)
		return -1;
	result->applied = true;
	story_tell_report(result, r, report, arrival, now);
	if (story_add_report(l, r, result->event, now, report) == -1)
		return -1;
	return known && step != LIFECYCLE_TO_GONE
		   ? note_telling(l, r, &message, now, result)
		   : 0;
}

/* The recipient is not there: removed meanwhile, or its row is damaged. */
static int
note_absent(uint64_t id, uint32_t number, struct lifecycle_result *result)
{
	if (errno != ENOENT && errno != EBADMSG)
		return -1;
	if (errno == EBADMSG)
		log_error("recipient-damaged id=%s number=%" PRIu32,
		    id_format(id).text, number);
	result->applied = false;
	return 0;
}

int
lifecycle_apply_report(struct lifecycle *l,
    const struct lifecycle_report *report, uint64_t now,
    struct lifecycle_result *result)
{
	struct recipient r;

	*result = (struct lifecycle_result){ .applied = false };
	if (rows_load_recipient(l, report->id, report->number, &r) == -1)
		return note_absent(report->id, report->number, result);
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
		return note_telling(l, r, &message, now, result);
	return errno == ENOENT || errno == EBADMSG ? 0 : -1;
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
	/* What is due already keeps its place in the row. */
	if (r->row.state == RECIPIENT_WAITING && r->row.due < due)
		due = r->row.due;
	if (step == LIFECYCLE_TO_WAITING || step == LIFECYCLE_TO_FAILED)
		r->row.told &= (uint8_t)~DSN_TOLD_GIVEN_UP;
	if (take_step(l, r, step, due, result) == -1)
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
		return note_absent(id, number, result);
	return apply_verb(l, &r, uid, now, result);
}

/* -- What the sender was told ---------------------------------------------- */

static int
apply_told(struct lifecycle *l, struct recipient *r,
    const struct telling_recipient *told, uint64_t report, uint64_t now,
    struct lifecycle_result *result)
{
	const struct row_event facts = { .report = report };
	enum lifecycle_event event =
	    told->what == TELL_DELAY ? LIFECYCLE_WARNED : LIFECYCLE_TOLD;
	enum lifecycle_step step =
	    lifecycle_step((enum recipient_state)r->row.state, event);

	if (step == LIFECYCLE_REFUSED)
		return 0;
	if (event == LIFECYCLE_WARNED)
		r->row.told |= DSN_TOLD_DELAY;
	if (take_step(l, r, step, r->row.due, result) == -1)
		return -1;
	result->applied = true;
	if (report == 0)
		return 0;
	return story_add(l, r, event, now, &facts);
}

static int
settle(struct lifecycle *l, const struct telling *t,
    const struct telling_recipient *told, uint64_t report, uint64_t now,
    struct lifecycle_result *result)
{
	struct recipient r;

	if (rows_load_recipient(l, t->id, told->number, &r) == -1)
		return note_absent(t->id, told->number, result);
	return apply_told(l, &r, told, report, now, result);
}

int
lifecycle_apply_telling(struct lifecycle *l, const struct telling *t,
    uint64_t report, uint64_t now, struct lifecycle_result *result)
{
	if (rows_delete_report(l, t->time, t->id) == -1)
		return -1;
	for (unsigned int i = 0; i < t->count; i++)
		if (settle(l, t, &t->recipients[i], report, now, result) == -1)
			return -1;
	story_tell_telling(result, t, report);
	/* What did not fit, or happened meanwhile: there is a report more,
	 * or a row that finds nothing. */
	return result->message_gone
		   ? 0
		   : rows_put_report(l, now / 1000 + TELL_GATHER, t->id);
}

/* What can be told to nobody: only failure stays for somebody to see. */
static int
leave_untold(struct lifecycle *l, const struct telling *t,
    const struct telling_recipient *told, uint64_t now,
    struct lifecycle_result *result)
{
	struct recipient r;

	if (told->what != TELL_FAILURE)
		return settle(l, t, told, 0, now, result);
	if (rows_load_recipient(l, t->id, told->number, &r) == -1)
		return note_absent(t->id, told->number, result);
	return r.row.state == RECIPIENT_FAILED ? give_up(l, &r) : 0;
}

int
lifecycle_put_off(struct lifecycle *l, const struct telling *t, uint64_t until,
    uint64_t now, struct lifecycle_result *result)
{
	*result = (struct lifecycle_result){ .applied = false };
	if (rows_delete_report(l, t->time, t->id) == -1)
		return -1;
	if (until != 0)
		return rows_put_report(l, until, t->id);
	for (unsigned int i = 0; i < t->count; i++)
		if (leave_untold(l, t, &t->recipients[i], now, result) == -1)
			return -1;
	return 0;
}

/* -- Another address ------------------------------------------------------- */

int
lifecycle_may_redirect(struct lifecycle *l, const struct redirection *d)
{
	struct recipient r;

	for (unsigned int i = 0; i < d->count; i++) {
		if (rows_load_recipient(l, d->id, d->numbers[i], &r) == -1)
			return errno == ENOENT || errno == EBADMSG ? 0 : -1;
		if (lifecycle_step((enum recipient_state)r.row.state,
			LIFECYCLE_REDIRECTED) == LIFECYCLE_REFUSED)
			return 0;
	}
	return d->count > 0;
}

int
lifecycle_apply_redirection(struct lifecycle *l, const struct redirection *d,
    uint64_t made, uint64_t now, struct lifecycle_result *result)
{
	char detail[LIMIT_PATH + 64];
	const struct row_event facts = {
		.detail = detail,
		.by = (uint64_t)d->uid + 1,
	};
	struct recipient r;

	result->event = LIFECYCLE_REDIRECTED;
	snprintf(detail, sizeof(detail), "to <%s> in %s", d->to,
	    id_format(made).text);
	for (unsigned int i = 0; i < d->count; i++)
		if (rows_load_recipient(l, d->id, d->numbers[i], &r) == -1 ||
		    take_step(l, &r,
			lifecycle_step((enum recipient_state)r.row.state,
			    LIFECYCLE_REDIRECTED),
			r.row.due, result) == -1 ||
		    story_add(l, &r, LIFECYCLE_REDIRECTED, now, &facts) == -1)
			return -1;
	result->applied = true;
	story_tell_redirection(result, d, made);
	return 0;
}

/* -- Damage --------------------------------------------------------------- */

/* One that cannot be read has waited here if it is in the due index, and does
 * so no more. */
static int
drop_due(struct lifecycle *l, const char *destination,
    const struct row_place *place, bool is_readable)
{
	struct row_key key = row_key_due(destination, place);
	struct recipient lost;

	lost.destination = rows_open_destination(l, destination);
	lost.row.state = RECIPIENT_WAITING;
	if (lost.destination == NULL)
		return -1;
	if (store_delete(l->store, STORE_DUE, &key) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!is_readable)
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
	else if (note_absent(place->id, place->number, result) == -1)
		return -1;
	else
		is_readable = false;
	if (is_readable && !is_due_here(&r, destination, place)) {
		if (step != LIFECYCLE_REFUSED &&
		    take_step(l, &r, LIFECYCLE_TO_WAITING, r.row.due, result) ==
			-1)
			return -1;
	} else if (step != LIFECYCLE_REFUSED) {
		r.row.reply = reason;
		if (take_step(l, &r, step, r.row.due, result) == -1 ||
		    story_add(l, &r, LIFECYCLE_DAMAGED, now, &facts) == -1)
			return -1;
		result->applied = true;
	}
	story_tell_damage(result, destination, place, reason);
	return drop_due(l, destination, place, is_readable);
}
