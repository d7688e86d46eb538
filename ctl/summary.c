/*
 * posternctl summary: why mail waits, by destination and reason.
 *
 * The grouping is done here, not in the queue: the queue would have to keep a
 * table for each client that asks, of a size that the hosts it sends to decide,
 * while here it is the asker's own memory, and the queue does nothing but what
 * it does for a listing: a bounded number of rows a turn, and no more of them
 * than we have read. What is tried next is held up by neither.
 */
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sysexits.h>

#include "common/mail.h"
#include "ctl/connect.h"
#include "ctl/destination.h"
#include "ctl/groups.h"
#include "ctl/item.h"
#include "ctl/json.h"
#include "ctl/reason.h"
#include "ctl/select.h"
#include "ctl/words.h"
#include "ctl/wrap.h"

struct summary {
	const struct ctl *ctl;
	struct groups *groups;
	uint64_t recipients;
};

static const char paused[] = "paused";

/* -- Collecting ----------------------------------------------------------- */

static int
on_item(const struct message *m, void *context)
{
	const struct message_ctl_item *item = &m->ctl_item;
	struct summary *s = context;
	char reason[REASON_MOST + 1];

	if (m->type != MESSAGE_CTL_ITEM || !item_is_valid(item))
		return EX_PROTOCOL;
	reason_normalise(reason, item->reply);
	groups_add(s->groups,
	    item->state == RECIPIENT_WAITING && item->paused != PAUSE_NONE
		? paused
		: recipient_state_name(item->state),
	    item->destination, reason, 1, item->arrival, item_due(item));
	s->recipients++;
	return EX_OK;
}

/* What was not tried because the host is down waits for that reason. */
static int
on_destination(const struct message *m, void *context)
{
	const struct message_ctl_destination *d = &m->ctl_destination;
	struct summary *s = context;
	char reason[REASON_MOST + 1];

	if (m->type != MESSAGE_CTL_DESTINATION || !destination_is_valid(d))
		return EX_PROTOCOL;
	if (d->failures == 0)
		return EX_OK;
	reason_normalise(reason, d->reply);
	groups_give_reason(s->groups,
	    d->paused != PAUSE_NONE ? paused
				    : recipient_state_name(RECIPIENT_WAITING),
	    d->name, reason);
	return EX_OK;
}

static int
collect(struct summary *s, const struct filter *filter)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_LIST, 0);
	int code;

	select_list(&question, 0, filter);
	code = connect_ask_queue(s->ctl, &question, on_item, s);
	if (code != EX_OK || s->recipients == 0)
		return code;
	question = (struct message)MESSAGE_INIT(MESSAGE_CTL_DESTINATIONS, 0);
	question.ctl_destinations.destination = filter->destination;
	return connect_ask_queue(s->ctl, &question, on_destination, s);
}

/* What stands before the destination, and before the reason. */
#define COLUMNS 33
#define INDENT 11

/* -- Printing ------------------------------------------------------------- */

static void
print_group_json(const struct ctl *ctl, const struct group *g)
{
	struct json j;

	json_begin(&j, ctl->out);
	json_number(&j, "recipients", g->count);
	json_time(&j, "oldest", g->oldest);
	json_text(&j, "state",
	    g->state == paused ? recipient_state_name(RECIPIENT_WAITING)
			       : g->state);
	json_boolean(&j, "paused", g->state == paused);
	json_text(&j, "destination", g->destination);
	json_text(&j, "reason", g->reason);
	json_time(&j, "next_try", g->next_try);
	json_end(&j);
}

/* On a terminal the reason begins where the eye finds it, and is never cut. */
static void
print_group(const struct ctl *ctl, const struct group *g)
{
	const char *reason = g->reason[0] != '\0' ? g->reason : "no reply yet";
	bool cut = ctl->terminal && ctl->width > COLUMNS + 10;
	struct wrap wrap;

	fprintf(ctl->out, "%10" PRIu64 " %6s %4s %-9s ", g->count,
	    format_duration(item_age(ctl, g->oldest)).text,
	    format_until(g->next_try, (uint64_t)ctl->now).text, g->state);
	format_print_cut(
	    ctl->out, g->destination, cut ? ctl->width - COLUMNS : UINT_MAX);
	if (!ctl->terminal) {
		fputs(": ", ctl->out);
		format_print(ctl->out, reason);
		fputc('\n', ctl->out);
		return;
	}
	fputc('\n', ctl->out);
	wrap_begin(&wrap, ctl);
	fprintf(wrap.ctl.out, "%*s", INDENT, "");
	format_print(wrap.ctl.out, reason);
	fputc('\n', wrap.ctl.out);
	wrap_end(&wrap, INDENT + 2);
}

static void
print_others(const struct ctl *ctl, const struct group *others)
{
	fprintf(ctl->out,
	    "%10" PRIu64 " %6s      others: there are more than %d groups\n",
	    others->count, format_duration(item_age(ctl, others->oldest)).text,
	    GROUPS_MOST);
}

static void
print_text(const struct summary *s, struct group **groups, size_t count)
{
	const struct group *others = groups_others(s->groups);
	const struct ctl *ctl = s->ctl;

	if (ctl->terminal && s->recipients == 0)
		fputs("Nothing waits.\n", ctl->out);
	if (s->recipients == 0)
		return;
	if (ctl->terminal)
		fprintf(ctl->out, "%10s %6s %4s %-9s %s\n", "RECIPIENTS",
		    "OLDEST", "NEXT", "STATE",
		    ctl->width != 0 && ctl->width < 60 ? "DESTINATION"
						       : "DESTINATION: REASON");
	if (others->count > 0)
		print_others(ctl, others);
	for (size_t i = 0; i < count; i++)
		print_group(ctl, groups[i]);
	if (ctl->terminal)
		fprintf(ctl->out, "%" PRIu64 " recipient%s in %zu group%s.\n",
		    s->recipients, s->recipients == 1 ? "" : "s", count,
		    count == 1 ? "" : "s");
}

static void
print_json(const struct summary *s, struct group **groups, size_t count)
{
	if (groups_others(s->groups)->count > 0)
		print_group_json(s->ctl, groups_others(s->groups));
	for (size_t i = 0; i < count; i++)
		print_group_json(s->ctl, groups[i]);
}

int
summary_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct summary s = { .ctl = ctl };
	struct options options;
	int code = words_none(c, count, words, &options);

	if (code != EX_OK)
		return code;
	s.groups = groups_new(GROUPS_MOST);
	if (s.groups == NULL) {
		perror("posternctl");
		return EX_OSERR;
	}
	code = collect(&s, &options.filter);
	if (code == EX_OK) {
		size_t n;
		struct group **sorted = groups_sort(s.groups, &n);

		(options.json ? print_json : print_text)(&s, sorted, n);
	}
	groups_free(&s.groups);
	return code;
}
