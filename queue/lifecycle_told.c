/* What senders are told of their mail, and what goes to another address. */
#include "queue/lifecycle_step.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/id.h"
#include "common/log.h"
#include "common/mail.h"
#include "queue/lifecycle_rows.h"
#include "queue/lifecycle_story.h"
#include "queue/redirection.h"
#include "queue/tell.h"

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
		return lifecycle_take_step(l, r,
		    lifecycle_step(RECIPIENT_FAILED, LIFECYCLE_TOLD),
		    r->row.due, result);
	log_error("notice-undeliverable id=%s to=\"%s\"", id_format(r->id).text,
	    log_text(r->row.address));
	return give_up(l, r);
}

int
lifecycle_note_telling(struct lifecycle *l, struct recipient *r,
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
	if (lifecycle_take_step(l, r, step, r->row.due, result) == -1)
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
		return lifecycle_note_absent(t->id, told->number, result);
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
		return lifecycle_note_absent(t->id, told->number, result);
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
		if (i > 0 && d->numbers[i] <= d->numbers[i - 1])
			return 0;
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
		    lifecycle_take_step(l, &r,
			lifecycle_step((enum recipient_state)r.row.state,
			    LIFECYCLE_REDIRECTED),
			r.row.due, result) == -1 ||
		    story_add(l, &r, LIFECYCLE_REDIRECTED, now, &facts) == -1)
			return -1;
	result->applied = true;
	story_tell_redirection(result, d, made);
	return 0;
}
