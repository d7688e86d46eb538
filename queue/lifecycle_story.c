#include "queue/lifecycle_story.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/id.h"
#include "common/log.h"
#include "queue/destination.h"
#include "queue/lifecycle_rows.h"
#include "queue/redirection.h"
#include "queue/store_event.h"
#include "queue/submission.h"
#include "queue/tell.h"

static enum event_kind
history_of(enum lifecycle_event event)
{
	switch (event) {
	case LIFECYCLE_DELIVERED:
	case LIFECYCLE_DELIVERED_ASKED:
		return EVENT_DELIVERED;
	case LIFECYCLE_DEFERRED:
		return EVENT_DEFERRED;
	case LIFECYCLE_EXPIRED:
		return EVENT_EXPIRED;
	case LIFECYCLE_FAILED:
		return EVENT_FAILED;
	case LIFECYCLE_RETRY:
		return EVENT_RETRIED;
	case LIFECYCLE_HOLD:
	case LIFECYCLE_DAMAGED:
		return EVENT_HELD;
	case LIFECYCLE_RELEASE:
		return EVENT_RELEASED;
	case LIFECYCLE_BOUNCE:
		return EVENT_FAILED;
	case LIFECYCLE_TOLD:
		return EVENT_BOUNCED;
	case LIFECYCLE_WARNED:
		return EVENT_WARNED;
	case LIFECYCLE_REDIRECTED:
		return EVENT_REDIRECTED;
	case LIFECYCLE_REMOVE:
	case LIFECYCLE_EVENTS:
		break;
	}
	return EVENT_REMOVED;
}

/* What is the same for all recipients is with the first one only. */
static void
set_client(struct row_event *event, const struct submission *s)
{
	event->sender = s->sender;
	event->host = s->client_name;
	event->peer = s->client_address;
	event->tls_version = s->tls_version;
	event->tls_cipher = s->tls_cipher;
	event->helo = s->helo;
	event->user = s->user;
	event->protocol = (uint8_t)(s->protocol + 1);
	event->size = s->size;
	event->config = s->config;
}

int
story_add_accepted(
    struct lifecycle *l, const struct submission *s, uint32_t number)
{
	const struct submission_recipient *from = &s->recipients[number];
	char detail[64];
	struct row_event event = {
		.time = s->arrival / 1000,
		.what = EVENT_ACCEPTED,
		.recipient = number,
		.address = from->address,
		.original = from->original,
		.destination = from->destination,
		.route = (uint8_t)(from->kind + 1),
		.name = from->name,
		.owner = from->user,
		.rule = from->rule,
		.via = from->via,
	};

	if (number == 0)
		set_client(&event, s);
	if (s->redirection != NULL) {
		snprintf(detail, sizeof(detail), "redirected from %s",
		    id_format(s->redirection->id).text);
		event.detail = detail;
	}
	return store_event_accepted(l->store, s->id, number, &event);
}

int
story_add(struct lifecycle *l, const struct recipient *r,
    enum lifecycle_event what, uint64_t now, const struct row_event *facts)
{
	struct row_event event = *facts;

	event.time = now / 1000;
	event.what = (uint8_t)history_of(what);
	event.recipient = r->number;
	event.address = r->row.address;
	event.destination = r->row.destination;
	return store_event_add(l->store, r->id, &event);
}

/* A host that was connected to has a name and an address of its own; what is
 * said by no host keeps the words for who said it. */
static struct row_event
facts_of(const struct lifecycle_report *report)
{
	return (struct row_event){
		.host = report->address == NULL || report->address[0] == '\0'
			    ? report->host
			    : report->name,
		.peer = report->address,
		.port = report->port,
		.tls_version = report->tls_version,
		.tls_cipher = report->tls_cipher,
		.took = report->took,
		.detail = report->reply,
	};
}

/* Not while its destination backs off. */
static uint64_t
next_try(const struct recipient *r)
{
	uint64_t until = r->destination->row.backoff_until;

	return r->row.due > until ? r->row.due : until;
}

int
story_add_report(struct lifecycle *l, const struct recipient *r,
    enum lifecycle_event what, uint64_t now,
    const struct lifecycle_report *report)
{
	struct row_event facts = facts_of(report);

	facts.attempt = report->untried ? 0 : r->row.attempts;
	if (what == LIFECYCLE_DEFERRED)
		facts.next_try = next_try(r);
	return story_add(l, r, what, now, &facts);
}

int
story_add_tried(
    struct lifecycle *l, const struct lifecycle_report *report, uint64_t now)
{
	struct row_event event = facts_of(report);

	event.time = now / 1000;
	event.what = EVENT_TRIED;
	return store_event_add(l->store, report->id, &event);
}

void
story_tell_report(struct lifecycle_result *result, const struct recipient *r,
    const struct lifecycle_report *report, uint64_t arrival, uint64_t now)
{
	uint64_t delay = now > arrival ? now - arrival : 0;
	char next[32] = "";

	if (result->event == LIFECYCLE_DEFERRED)
		snprintf(next, sizeof(next), " next=%" PRIu64 "s",
		    next_try(r) > now / 1000 ? next_try(r) - now / 1000 : 0);
	if (asprintf(&result->line,
		"%s id=%s to=\"%s\" destination=%s host=\"%s\" "
		"delay=%" PRIu64 ".%03us attempts=%" PRIu32 "%s reply=\"%s\"",
		event_kind_name(history_of(result->event)),
		id_format(r->id).text, log_text(r->row.address),
		log_text(r->row.destination), log_text(report->host),
		delay / 1000, (unsigned int)(delay % 1000), r->row.attempts,
		next, log_text(report->reply)) == -1)
		result->line = NULL;
}

void
story_tell_verb(
    struct lifecycle_result *result, const struct recipient *r, uint32_t uid)
{
	if (asprintf(&result->line,
		"%s id=%s to=\"%s\" destination=%s by=administrator "
		"uid=%" PRIu32,
		event_kind_name(history_of(result->event)),
		id_format(r->id).text, log_text(r->row.address),
		log_text(r->row.destination), uid) == -1)
		result->line = NULL;
}

void
story_tell_damage(struct lifecycle_result *result, const char *destination,
    const struct row_place *place, const char *reason)
{
	if (asprintf(&result->line,
		"set-aside id=%s number=%" PRIu32
		" destination=%s reason=\"%s\"",
		id_format(place->id).text, place->number, log_text(destination),
		log_text(reason)) == -1)
		result->line = NULL;
}

void
story_tell_telling(
    struct lifecycle_result *result, const struct telling *t, uint64_t report)
{
	if (asprintf(&result->line,
		"reported id=%s in=%s recipients=%u to=\"%s\"%s",
		id_format(t->id).text, id_format(report).text, t->count,
		log_text(t->to), t->is_notice ? " notice=yes" : "") == -1)
		result->line = NULL;
}

void
story_tell_redirection(
    struct lifecycle_result *result, const struct redirection *d, uint64_t made)
{
	if (asprintf(&result->line,
		"redirected id=%s in=%s recipients=%u to=\"%s\" "
		"by=administrator uid=%u",
		id_format(d->id).text, id_format(made).text, d->count,
		log_text(d->to), (unsigned int)d->uid) == -1)
		result->line = NULL;
}
