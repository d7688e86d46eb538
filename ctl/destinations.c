/*
 * posternctl destinations: where mail waits, and how each place fares.
 */
#include <inttypes.h>
#include <sysexits.h>

#include "common/mail.h"
#include "ctl/connect.h"
#include "ctl/destination.h"
#include "ctl/json.h"
#include "ctl/words.h"

struct listing {
	const struct ctl *ctl;
	bool json;
	uint64_t shown;
	uint64_t recipients;
};

/* What the numbers take, and where other lines begin. */
#define COLUMNS 48
#define INDENT 8

static bool
is_narrow(const struct ctl *ctl)
{
	return ctl->terminal && ctl->width != 0 && ctl->width < COLUMNS + 16;
}

static void
print_json(const struct ctl *ctl, const struct message_ctl_destination *d)
{
	struct json j;

	json_begin(&j, ctl->out);
	json_text(&j, "destination", d->name);
	json_number(&j, "waiting", d->waiting);
	json_number(&j, "held", d->held);
	json_number(&j, "failed", d->failed);
	json_number(&j, "in_flight", d->in_flight);
	json_number(&j, "deliveries", d->deliveries);
	json_number(&j, "window", d->window);
	json_number(&j, "failures", d->failures);
	json_time(&j, "backoff_until",
	    destination_is_down(ctl, d) ? d->backoff_until : 0);
	json_time(&j, "next_try", d->next_try);
	json_text(&j, "reply", d->reply);
	json_boolean(&j, "paused", d->paused != PAUSE_NONE);
	json_end(&j);
}

static void
print_heading(const struct ctl *ctl)
{
	fprintf(ctl->out, "%7s %5s %6s %6s %6s %7s %4s %s\n", "WAITING", "HELD",
	    "FAILED", "FLIGHT", "WINDOW", "BACKOFF", "NEXT",
	    is_narrow(ctl) ? "" : "DESTINATION");
}

/* A terminal has no room for the name and the error, and lines of its own are
 * cut to its width. */
static void
print_on_terminal(const struct ctl *ctl, const char *text, bool own_line)
{
	if (own_line)
		fprintf(ctl->out, "\n%*s", INDENT, "");
	if (ctl->width > 2 * INDENT)
		format_print_cut(ctl->out, text,
		    own_line ? ctl->width - INDENT : ctl->width - COLUMNS);
	else
		format_print(ctl->out, text);
}

static void
print_name(const struct ctl *ctl, const struct message_ctl_destination *d)
{
	if (ctl->colour && destination_is_down(ctl, d))
		fputs("\033[31m", ctl->out);
	if (ctl->terminal)
		print_on_terminal(ctl, d->name,
		    is_narrow(ctl) ||
			format_width(d->name) + COLUMNS > ctl->width);
	else
		format_print(ctl->out, d->name);
	if (ctl->colour && destination_is_down(ctl, d))
		fputs("\033[0m", ctl->out);
}

static void
print_line(const struct ctl *ctl, const struct message_ctl_destination *d)
{
	bool cut = ctl->terminal;

	fprintf(ctl->out, "%7s %5s %6s %6s %6s %7s %4s ",
	    format_count(d->waiting, cut ? 7 : 20).text,
	    format_count(d->held, cut ? 5 : 20).text,
	    format_count(d->failed, cut ? 6 : 20).text,
	    format_count(d->in_flight, cut ? 6 : 20).text,
	    format_count(d->window, cut ? 6 : 20).text,
	    destination_backoff(ctl, d).text,
	    destination_next_try(ctl, d).text);
	print_name(ctl, d);
	if (d->reply[0] != '\0' && ctl->terminal)
		print_on_terminal(ctl, d->reply, true);
	else if (d->reply[0] != '\0') {
		fputs(": ", ctl->out);
		format_print(ctl->out, d->reply);
	}
	fputc('\n', ctl->out);
}

static int
on_destination(const struct message *m, void *context)
{
	const struct message_ctl_destination *d = &m->ctl_destination;
	struct listing *l = context;

	if (m->type != MESSAGE_CTL_DESTINATION || !destination_is_valid(d))
		return EX_PROTOCOL;
	if (l->json)
		print_json(l->ctl, d);
	else {
		if (l->shown == 0 && l->ctl->terminal)
			print_heading(l->ctl);
		print_line(l->ctl, d);
	}
	l->shown++;
	l->recipients += d->waiting + d->held + d->failed;
	return EX_OK;
}

static void
print_sum(const struct listing *l)
{
	if (l->shown == 0)
		fputs("Nothing waits.\n", l->ctl->out);
	else
		fprintf(l->ctl->out,
		    "%" PRIu64 " destination%s, %" PRIu64 " recipient%s.\n",
		    l->shown, l->shown == 1 ? "" : "s", l->recipients,
		    l->recipients == 1 ? "" : "s");
}

int
destinations_run(
    struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_DESTINATIONS, 0);
	struct listing listing = { .ctl = ctl };
	struct options options;
	int code = words_none(c, count, words, &options);

	if (code != EX_OK)
		return code;
	question.ctl_destinations.destination = options.filter.destination;
	listing.json = options.json;
	code = connect_ask_queue(ctl, &question, on_destination, &listing);
	if (code == EX_OK && ctl->terminal && !listing.json)
		print_sum(&listing);
	return code;
}
