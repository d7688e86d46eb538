/*
 * posternctl why ID: what a message waits for, in words.
 */
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "common/id.h"
#include "common/mail.h"
#include "ctl/connect.h"
#include "ctl/item.h"
#include "ctl/select.h"
#include "ctl/words.h"
#include "ctl/wrap.h"

struct why {
	const struct ctl *ctl;
	bool json;
	bool begun;
};

static void
print_message(const struct ctl *ctl, const struct message_ctl_item *item)
{
	fprintf(ctl->out, "%s from ", id_format(item->id).text);
	format_print_sender(ctl->out, item->sender);
	fprintf(ctl->out, ", %s octets, arrived %s ago (%s)\n",
	    format_size(item->size).text,
	    format_duration_words(item_age(ctl, item->arrival)).text,
	    format_time_local(item->arrival).text);
}

static void
print_route(const struct ctl *ctl, const struct message_ctl_item *item)
{
	FILE *out = ctl->out;

	fputs("  goes to ", out);
	switch (item->kind) {
	case ROUTE_MAILBOX:
		fputs("the mailbox of ", out);
		format_print(out, item->user);
		fputs(" (mailbox \"", out);
		format_print(out, item->name);
		fputs("\")", out);
		break;
	case ROUTE_RELAY:
		fputs("the relay \"", out);
		format_print(out, item->name);
		fputc('"', out);
		break;
	case ROUTE_MX:
		fputs("the mail hosts of its domain", out);
		break;
	default:
		fputs("an unknown kind of place", out);
	}
	fputs(", in line for ", out);
	format_print(out, item->destination);
	fputc('\n', out);
}

static void
print_wait(const struct ctl *ctl, const struct message_ctl_item *item)
{
	uint64_t now = (uint64_t)ctl->now;
	FILE *out = ctl->out;

	if (item->paused == PAUSE_ALL)
		fputs("waits: all delivery is paused, until \"posternctl "
		      "resume --all\"",
		    out);
	else if (item->paused == PAUSE_DESTINATION) {
		fputs("waits: its destination is paused, until \"posternctl "
		      "resume ",
		    out);
		format_print(out, item->destination);
		fputc('"', out);
	} else if (item->next_try <= now)
		fputs("waits for its turn: it is due now", out);
	else
		fprintf(out, "waits for its next try, in %s (%s)",
		    format_duration_words(item->next_try - now).text,
		    format_time_local(item->next_try).text);
}

static void
print_state(const struct ctl *ctl, const struct message_ctl_item *item)
{
	FILE *out = ctl->out;

	fputs("  ", out);
	item_colour(ctl, item);
	if (item->in_flight)
		fputs("is being delivered at this moment", out);
	else if (item->state == RECIPIENT_WAITING)
		print_wait(ctl, item);
	else if (item->state == RECIPIENT_HELD)
		fprintf(out, "is held, until \"posternctl release %s\"",
		    id_format(item->id).text);
	else if (item->state == RECIPIENT_DELIVERED)
		fputs(
		    "has been delivered; its sender is about to be told", out);
	else
		fprintf(out,
		    "cannot be delivered; it is kept until its sender is told, "
		    "or until \"posternctl retry "
		    "%s\" or \"posternctl remove %s\"",
		    id_format(item->id).text, id_format(item->id).text);
	item_colour_end(ctl);
	fputc('\n', out);
}

/* What is new is due at once, unless its destination backs off. */
static bool
is_put_off(const struct ctl *ctl, const struct message_ctl_item *item)
{
	return item->state == RECIPIENT_WAITING && !item->in_flight &&
	       item->paused == PAUSE_NONE &&
	       item->next_try > (uint64_t)ctl->now;
}

static void
print_attempts(const struct ctl *ctl, const struct message_ctl_item *item)
{
	FILE *out = ctl->out;

	if (item->attempts == 0 && is_put_off(ctl, item))
		fputs("  has not been tried yet: its destination failed for "
		      "others, so it waits as they do\n",
		    out);
	else if (item->attempts == 0)
		fputs("  has not been tried yet\n", out);
	else
		fprintf(out, "  has been tried %" PRIu32 " time%s\n",
		    item->attempts, item->attempts == 1 ? "" : "s");
	if (item->reply[0] == '\0')
		return;
	fputs("  last reply", out);
	if (item->host[0] != '\0') {
		fputs(", from ", out);
		format_print(out, item->host);
	}
	fputs(":\n", out);
	format_print_lines(out, item->reply, "    ");
}

static void
print_recipient(const struct ctl *ctl, const struct message_ctl_item *item)
{
	fputc('\n', ctl->out);
	format_print(ctl->out, item->address);
	if (item->original[0] != '\0' &&
	    strcmp(item->original, item->address) != 0) {
		fputs(" (sent to ", ctl->out);
		format_print(ctl->out, item->original);
		fputc(')', ctl->out);
	}
	fputc('\n', ctl->out);
	print_route(ctl, item);
	print_state(ctl, item);
	print_attempts(ctl, item);
}

static int
on_item(const struct message *m, void *context)
{
	const struct message_ctl_item *item = &m->ctl_item;
	struct wrap wrap;
	struct why *why = context;

	if (m->type != MESSAGE_CTL_ITEM || !item_is_valid(item))
		return EX_PROTOCOL;
	if (why->json) {
		item_print_json(why->ctl, item);
		return EX_OK;
	}
	wrap_begin(&wrap, why->ctl);
	if (!why->begun)
		print_message(&wrap.ctl, item);
	why->begun = true;
	print_recipient(&wrap.ctl, item);
	wrap_end(&wrap, 6);
	return EX_OK;
}

int
why_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_LIST, 0);
	struct filter everything = FILTER_EVERYTHING;
	struct why why = { .ctl = ctl };
	struct options options;
	const char *word;
	uint64_t id;
	int code = words_one(c, count, words, &options, &word);

	if (code == EX_OK)
		code = words_id(word, &id);
	if (code != EX_OK)
		return code;
	why.json = options.json;
	select_list(&question, id, &everything);
	code = connect_ask_queue(ctl, &question, on_item, &why);
	if (code == EX_NOINPUT)
		fprintf(stderr,
		    "\"posternctl trace %s\" says what became of it.\n",
		    id_format(id).text);
	return code;
}
