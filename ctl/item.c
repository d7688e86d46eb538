#include "ctl/item.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include <bsd/string.h>

#include "common/dsn.h"
#include "common/id.h"
#include "common/mail.h"
#include "ctl/format.h"
#include "ctl/json.h"

bool
item_is_valid(const struct message_ctl_item *item)
{
	return item->id != 0 && item->state < RECIPIENT_STATES &&
	       item->paused < PAUSE_KINDS;
}

uint64_t
item_age(const struct ctl *ctl, uint64_t arrival)
{
	uint64_t now = (uint64_t)ctl->now;

	return now > arrival ? now - arrival : 0;
}

static bool
is_paused(const struct message_ctl_item *item)
{
	return !item->in_flight && item->state == RECIPIENT_WAITING &&
	       item->paused != PAUSE_NONE;
}

const char *
item_state(const struct message_ctl_item *item)
{
	if (item->in_flight)
		return "delivering";
	return is_paused(item) ? "paused" : recipient_state_name(item->state);
}

void
item_colour(const struct ctl *ctl, const struct message_ctl_item *item)
{
	if (!ctl->colour)
		return;
	if (item->in_flight)
		fputs("\033[32m", ctl->out);
	else if (item->state == RECIPIENT_FAILED)
		fputs("\033[31m", ctl->out);
	else if (item->state == RECIPIENT_HELD || is_paused(item))
		fputs("\033[33m", ctl->out);
}

void
item_colour_end(const struct ctl *ctl)
{
	if (ctl->colour)
		fputs("\033[0m", ctl->out);
}

struct format_text
item_next_try(const struct ctl *ctl, const struct message_ctl_item *item)
{
	uint64_t now = (uint64_t)ctl->now;
	struct format_text out = { "-" };

	if (item->in_flight || item->state != RECIPIENT_WAITING ||
	    item->paused != PAUSE_NONE)
		return out;
	if (item->next_try > now)
		return format_duration(item->next_try - now);
	strlcpy(out.text, "now", sizeof(out.text));
	return out;
}

void
item_print_heading(const struct ctl *ctl)
{
	fprintf(ctl->out, "%-13s %4s %5s %-10s %3s %4s %s\n", "ID", "AGE",
	    "SIZE", "STATE", "TRY", "NEXT",
	    ctl->width != 0 && ctl->width < 100
		? "SENDER -> RECIPIENT"
		: "SENDER -> RECIPIENT (DESTINATION): LAST REPLY");
}

/* A few letters of a reply help nobody. */
#define REPLY_LEAST 12
/* The fixed columns, and where lines that continue them begin. */
#define FIXED 45
#define INDENT 4

static void
print_fixed(const struct ctl *ctl, const struct message_ctl_item *item)
{
	fprintf(ctl->out, "%s %4s %5s ", id_format(item->id).text,
	    format_duration(item_age(ctl, item->arrival)).text,
	    format_size(item->size).text);
	item_colour(ctl, item);
	fprintf(ctl->out, "%-10s", item_state(item));
	item_colour_end(ctl);
	fprintf(ctl->out, " %3" PRIu32 " %4s ", item->attempts,
	    item_next_try(ctl, item).text);
}

static void
print_recipient(const struct ctl *ctl, const struct message_ctl_item *item)
{
	fputs("-> ", ctl->out);
	format_print(ctl->out, item->address);
	fputs(" (", ctl->out);
	format_print(ctl->out, item->destination);
	fputc(')', ctl->out);
}

/* Behind what took so many columns, or on a line of its own. A narrow terminal
 * is left to break it. */
static void
print_reply(const struct ctl *ctl, const struct message_ctl_item *item,
    unsigned int used)
{
	bool unknown = ctl->width <= INDENT + REPLY_LEAST;

	if (unknown || used + 2 + REPLY_LEAST <= ctl->width) {
		fputs(": ", ctl->out);
		used += 2;
	} else {
		fprintf(ctl->out, "\n%*s", INDENT, "");
		used = INDENT;
	}
	format_print_cut(
	    ctl->out, item->reply, unknown ? UINT_MAX : ctl->width - used);
}

/* On one line if it fits there. Addresses are never cut: they are looked for
 * and copied. */
void
item_print(const struct ctl *ctl, const struct message_ctl_item *item)
{
	unsigned int sender =
	    item->sender[0] == '\0' ? 2 : format_width(item->sender);
	unsigned int recipient =
	    format_width(item->address) + format_width(item->destination) + 6;
	unsigned int used = FIXED + sender + 1 + recipient;

	print_fixed(ctl, item);
	format_print_sender(ctl->out, item->sender);
	if (ctl->width != 0 && used > ctl->width) {
		fprintf(ctl->out, "\n%*s", INDENT, "");
		used = INDENT + recipient;
	} else
		fputc(' ', ctl->out);
	print_recipient(ctl, item);
	if (item->reply[0] != '\0')
		print_reply(ctl, item, used);
	fputc('\n', ctl->out);
}

void
item_print_json(const struct ctl *ctl, const struct message_ctl_item *item)
{
	char notify[DSN_NOTIFY_TEXT];
	struct json j;

	json_begin(&j, ctl->out);
	json_text(&j, "id", id_format(item->id).text);
	json_time(&j, "arrival", item->arrival);
	json_number(&j, "size", item->size);
	json_text(&j, "sender", item->sender);
	json_number(&j, "number", item->number);
	json_text(&j, "recipient", item->address);
	json_text(&j, "original", item->original);
	json_text(&j, "route", route_kind_name(item->kind));
	json_text(&j, "name", item->name);
	json_text(&j, "user", item->user);
	json_text(&j, "destination", item->destination);
	json_text(&j, "state", recipient_state_name(item->state));
	json_boolean(&j, "in_flight", item->in_flight != 0);
	json_number(&j, "attempts", item->attempts);
	json_time(&j, "next_try",
	    item->state == RECIPIENT_WAITING ? item->next_try : 0);
	json_text(&j, "host", item->host);
	json_text(&j, "reply", item->reply);
	json_text(&j, "notify", dsn_notify_text(notify, item->notify));
	json_text(&j, "orcpt", item->orcpt);
	json_boolean(&j, "paused", item->paused != PAUSE_NONE);
	json_end(&j);
}
