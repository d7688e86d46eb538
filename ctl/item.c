#include "ctl/item.h"

#include <inttypes.h>
#include <string.h>

#include <bsd/string.h>

#include "common/dsn.h"
#include "common/id.h"
#include "common/mail.h"
#include "common/printable.h"
#include "ctl/format.h"
#include "ctl/json.h"

bool
item_is_valid(const struct message_ctl_item *item)
{
	return item->id != 0 && item->state < RECIPIENT_STATES;
}

uint64_t
item_age(const struct ctl *ctl, uint64_t arrival)
{
	uint64_t now = (uint64_t)ctl->now;

	return now > arrival ? now - arrival : 0;
}

const char *
item_state(const struct message_ctl_item *item)
{
	return item->in_flight ? "delivering"
			       : recipient_state_name(item->state);
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
	else if (item->state == RECIPIENT_HELD)
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

	if (item->in_flight || item->state != RECIPIENT_WAITING)
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

/* How wide a text from outside will be. */
static unsigned int
width(const char *text)
{
	char shown[4 * LIMIT_REPLY + 1];

	printable_copy(shown, sizeof(shown), text);
	return (unsigned int)strlen(shown);
}

/* A few letters of a reply help nobody. */
#define REPLY_LEAST 12

static void
print_reply(const struct ctl *ctl, const struct message_ctl_item *item)
{
	/* The fixed columns, and what stands between the texts. */
	unsigned int used =
	    13 + 4 + 5 + 10 + 3 + 4 + 6 + 4 + 3 + 2 +
	    (item->sender[0] == '\0' ? 2 : width(item->sender)) +
	    width(item->address) + width(item->destination);

	if (ctl->width == 0) {
		fputs(": ", ctl->out);
		format_print(ctl->out, item->reply);
	} else if (used + REPLY_LEAST <= ctl->width) {
		fputs(": ", ctl->out);
		format_print_cut(ctl->out, item->reply, ctl->width - used);
	}
}

void
item_print(const struct ctl *ctl, const struct message_ctl_item *item)
{
	fprintf(ctl->out, "%s %4s %5s ", id_format(item->id).text,
	    format_duration(item_age(ctl, item->arrival)).text,
	    format_size(item->size).text);
	item_colour(ctl, item);
	fprintf(ctl->out, "%-10s", item_state(item));
	item_colour_end(ctl);
	fprintf(ctl->out, " %3" PRIu32 " %4s ", item->attempts,
	    item_next_try(ctl, item).text);
	format_print_sender(ctl->out, item->sender);
	fputs(" -> ", ctl->out);
	format_print(ctl->out, item->address);
	fputs(" (", ctl->out);
	format_print(ctl->out, item->destination);
	fputc(')', ctl->out);
	if (item->reply[0] != '\0')
		print_reply(ctl, item);
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
	json_end(&j);
}
