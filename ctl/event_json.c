#include "common/id.h"
#include "common/mail.h"
#include "common/via.h"
#include "ctl/event.h"
#include "ctl/json.h"

static void
add_aliases(struct json *j, const char *via)
{
	struct json list, object;
	struct via_step step;
	enum via_kind kind;

	json_list_begin(j, "aliases", &list);
	while ((kind = via_next(&via, &step)) == VIA_STEP) {
		json_list_object(&list, &object);
		json_text(&object, "key", step.key);
		json_text(&object, "mailbox", step.mailbox);
		json_text(&object, "table", step.table);
		json_text(&object, "file", step.file);
		json_number(&object, "line", step.line);
		json_list_object_end(&object);
	}
	json_list_end(&list);
	json_boolean(j, "aliases_cut", kind == VIA_MORE);
}

/* As it came. */
static void
add_way(struct json *j, const struct message_ctl_event *e)
{
	json_number(j, "recipient", e->recipient);
	json_text(j, "helo", e->helo);
	json_text(j, "user", e->user);
	json_text(j, "protocol",
	    e->protocol == 0 ? "" : smtp_protocol_name(e->protocol - 1U));
	json_number(j, "size", e->size);
	json_text(j, "config", e->config);
	json_number(j, "rule", e->rule);
	add_aliases(j, e->via);
	json_text(
	    j, "route", e->route == 0 ? "" : route_kind_name(e->route - 1U));
	json_text(j, "name", e->name);
	json_text(j, "owner", e->owner);
}

/* As it went on. */
static void
add_attempt(struct json *j, const struct message_ctl_event *e)
{
	json_text(j, "host_address", e->peer);
	json_number(j, "port", e->port);
	json_text(j, "tls_version", e->tls_version);
	json_text(j, "tls_cipher", e->tls_cipher);
	json_number(j, "took_ms", e->took);
	json_number(j, "attempt", e->attempt);
	json_time(j, "next_try", e->next_try);
	if (e->by == 0)
		json_null(j, "by_uid");
	else
		json_number(j, "by_uid", e->by - 1);
	json_text(j, "report", e->report == 0 ? "" : id_format(e->report).text);
	json_number(j, "dropped", e->dropped);
}

void
event_print_json(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct json j;

	json_begin(&j, ctl->out);
	json_text(&j, "id", id_format(e->id).text);
	json_time(&j, "time", e->time);
	json_text(&j, "event", event_kind_name(e->what));
	json_text(&j, "address", e->address);
	json_text(&j, "sender", e->sender);
	json_text(&j, "original", e->original);
	json_text(&j, "destination", e->destination);
	json_text(&j, "host", e->host);
	json_text(&j, "detail", e->detail);
	add_way(&j, e);
	add_attempt(&j, e);
	json_end(&j);
}
