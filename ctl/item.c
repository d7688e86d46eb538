#include "ctl/item.h"

#include <inttypes.h>
#include <string.h>

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

uint64_t
item_due(const struct message_ctl_item *item)
{
	if (item->in_flight || item->state != RECIPIENT_WAITING ||
	    item->paused != PAUSE_NONE)
		return 0;
	return item->next_try > 0 ? item->next_try : 1;
}

struct format_text
item_next_try(const struct ctl *ctl, const struct message_ctl_item *item)
{
	return format_until(item_due(item), (uint64_t)ctl->now);
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
