#include <inttypes.h>

#include "common/id.h"
#include "common/log.h"
#include "common/monotime.h"
#include "queue/commit_private.h"
#include "queue/destination.h"
#include "queue/flight.h"
#include "queue/pause.h"
#include "queue/redirection.h"
#include "queue/stats.h"
#include "queue/submission.h"
#include "queue/tell.h"

/* Until what could not be set aside is looked at again. */
#define DAMAGE_MS 1000

static void
answer(struct submission *s, unsigned int code, const char *reply)
{
	if (s->answer != NULL)
		s->answer(s, code, reply);
}

void
commit_refuse(struct submission *s, unsigned int code, const char *reply)
{
	stats.messages_refused++;
	log_warn("refused id=%s code=%u reply=\"%s\"", id_format(s->id).text,
	    code, reply);
	answer(s, code, reply);
}

static void
tell_accepted(struct operation *o, const struct commit_handler *handler)
{
	struct submission *s = o->submission;

	if (o->code != 250) {
		commit_refuse(s, o->code, o->reply);
		return;
	}
	stats.messages_accepted++;
	stats.recipients_accepted += s->count;
	stats.bytes_accepted += s->size;
	if (s->redirection != NULL)
		stats.acts += s->redirection->count;
	log_info("queued id=%s from=\"%s\" size=%" PRIu64 " recipients=%" PRIu32
		 " client=%s",
	    id_format(s->id).text, log_text(s->sender), s->size, s->count,
	    log_text(s->client_address));
	answer(s, o->code, o->reply);
	handler->accepted(s);
}

static void
count_report(const struct lifecycle_result *result)
{
	if (!result->applied)
		return;
	if (result->event == LIFECYCLE_DELIVERED ||
	    result->event == LIFECYCLE_DELIVERED_ASKED)
		stats.delivered++;
	else if (result->event == LIFECYCLE_DEFERRED)
		stats.deferred++;
	else
		stats.failed++;
}

/* Of the message that is gone. */
static uint64_t
id_of(const struct operation *o)
{
	if (o->kind == OPERATION_ACCEPT)
		return o->submission->telling != NULL
			   ? o->submission->telling->id
			   : o->submission->redirection->id;
	if (o->kind == OPERATION_PUT_OFF)
		return o->telling->id;
	return o->kind == OPERATION_REPORT ? o->report.id : o->id;
}

static enum commit_done
done(const struct lifecycle_result *result)
{
	if (result->applied)
		return COMMIT_CHANGED;
	return result->is_busy ? COMMIT_BUSY : COMMIT_UNCHANGED;
}

static void
tell_act(const struct operation *o)
{
	if (o->result.applied)
		stats.acts++;
	if (o->done != NULL)
		o->done(done(&o->result), o->context);
}

void
commit_tell(struct operation *o, const struct commit_handler *handler)
{
	if (o->result.line != NULL)
		log_info("%s", o->result.line);
	if (o->result.message_gone)
		handler->gone(id_of(o));
	switch (o->kind) {
	case OPERATION_ACCEPT:
		tell_accepted(o, handler);
		break;
	case OPERATION_REPORT:
		count_report(&o->result);
		handler->landed(o->flight);
		break;
	case OPERATION_VERB:
		tell_act(o);
		break;
	case OPERATION_PAUSE:
		pause_set(o->reply, o->paused);
		if (!o->paused)
			handler->resumed();
		tell_act(o);
		break;
	case OPERATION_SET_ASIDE:
		stats.set_aside++;
		if (o->result.stays) /* it is met again, but not at once */
			o->flight->destination->lane.not_before =
			    monotime_add_ms(monotime_now(), DAMAGE_MS);
		handler->landed(o->flight);
		break;
	case OPERATION_PUT_OFF:
	case OPERATION_TRIED:
		break;
	}
}
