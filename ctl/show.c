/*
 * posternctl show ID: envelope, recipients, and the message itself.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/content.h"
#include "common/dsn.h"
#include "common/id.h"
#include "common/mail.h"
#include "ctl/connect.h"
#include "ctl/item.h"
#include "ctl/json.h"
#include "ctl/words.h"
#include "ctl/wrap.h"

struct show {
	const struct ctl *ctl;
	const struct options *options;
	int content; /* -1 until CTL_MESSAGE has come */
	uint64_t size;
};

static void
print_field(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%-10s ", name);
	format_print(out, text);
	fputc('\n', out);
}

static void
print_envelope(const struct ctl *ctl, const struct message_ctl_message *m)
{
	FILE *out = ctl->out;

	print_field(out, "id", id_format(m->id).text);
	fprintf(out, "%-10s %s, %s ago\n", "arrival",
	    format_time_local(m->arrival).text,
	    format_duration_words(item_age(ctl, m->arrival)).text);
	fprintf(out, "%-10s %" PRIu64 "\n", "size", m->size);
	print_field(out, "client", m->client_address);
	print_field(out, "helo", m->helo);
	if (m->user[0] != '\0')
		print_field(out, "user", m->user);
	print_field(out, "protocol", smtp_protocol_name(m->protocol));
	print_field(
	    out, "body", m->body == SMTP_BODY_8BITMIME ? "8BITMIME" : "7BIT");
	fprintf(out, "%-10s ", "sender");
	format_print_sender(out, m->sender);
	fputc('\n', out);
	if (m->ret != DSN_RET_NONE)
		print_field(out, "ret", dsn_ret_name(m->ret));
	if (m->envid[0] != '\0')
		print_field(out, "envid", m->envid);
}

/* Without the end of the object: the content is its last member. */
static void
print_envelope_json(
    const struct ctl *ctl, struct json *j, const struct message_ctl_message *m)
{
	json_begin(j, ctl->out);
	json_text(j, "id", id_format(m->id).text);
	json_time(j, "arrival", m->arrival);
	json_number(j, "size", m->size);
	json_text(j, "client", m->client_address);
	json_text(j, "helo", m->helo);
	json_text(j, "user", m->user);
	json_text(j, "protocol", smtp_protocol_name(m->protocol));
	json_text(
	    j, "body", m->body == SMTP_BODY_8BITMIME ? "8BITMIME" : "7BIT");
	json_text(j, "sender", m->sender);
	json_text(j, "ret", dsn_ret_name(m->ret));
	json_text(j, "envid", m->envid);
}

/* The width of a field's name, and a space. */
#define HANG 11

static int
on_message(struct show *show, const struct message *m)
{
	const struct message_ctl_message *message = &m->ctl_message;
	struct wrap wrap;
	struct json j;

	if (show->content != -1 || m->fd == -1 ||
	    content_check(m->fd, message->size) == -1)
		return EX_PROTOCOL;
	show->content = dup(m->fd);
	show->size = message->size;
	if (show->content == -1) {
		perror("posternctl");
		return EX_OSERR;
	}
	if (show->options->content)
		return EX_OK;
	if (show->options->json) {
		const uint8_t *data = content_map(m->fd, message->size);

		if (data == NULL) {
			perror("posternctl: content");
			return EX_OSERR;
		}
		print_envelope_json(show->ctl, &j, message);
		json_base64(&j, "content_base64", data, (size_t)message->size);
		json_end(&j);
		content_unmap(data, message->size);
	} else {
		wrap_begin(&wrap, show->ctl);
		print_envelope(&wrap.ctl, message);
		wrap_end(&wrap, HANG);
	}
	return EX_OK;
}

/* What the sender wanted to hear of a recipient, if he said. */
static void
print_reports(FILE *out, const struct message_ctl_item *item)
{
	char notify[DSN_NOTIFY_TEXT];

	if (item->notify != 0)
		print_field(
		    out, "  notify", dsn_notify_text(notify, item->notify));
	if (item->orcpt[0] != '\0')
		print_field(out, "  orcpt", item->orcpt);
}

static void
print_recipient(const struct ctl *ctl, const struct message_ctl_item *item)
{
	struct format_text next = item_next_try(ctl, item);

	fprintf(ctl->out, "%-10s ", "recipient");
	format_print(ctl->out, item->address);
	fputs(" (", ctl->out);
	format_print(ctl->out, item->destination);
	fputs("), ", ctl->out);
	item_colour(ctl, item);
	fputs(item_state(item), ctl->out);
	item_colour_end(ctl);
	if (item->attempts > 0)
		fprintf(ctl->out, ", tried %" PRIu32 " time%s", item->attempts,
		    item->attempts == 1 ? "" : "s");
	if (strcmp(next.text, "-") != 0)
		fprintf(ctl->out, ", next try %s%s",
		    strcmp(next.text, "now") != 0 ? "in " : "", next.text);
	fputc('\n', ctl->out);
	print_reports(ctl->out, item);
}

static int
on_item(struct show *show, const struct message_ctl_item *item)
{
	struct wrap wrap;

	if (show->content == -1 || !item_is_valid(item))
		return EX_PROTOCOL;
	if (show->options->content)
		return EX_OK;
	if (show->options->json) {
		item_print_json(show->ctl, item);
		return EX_OK;
	}
	wrap_begin(&wrap, show->ctl);
	print_recipient(&wrap.ctl, item);
	wrap_end(&wrap, HANG);
	return EX_OK;
}

static int
on_answer(const struct message *m, void *context)
{
	if (m->type == MESSAGE_CTL_MESSAGE)
		return on_message(context, m);
	if (m->type == MESSAGE_CTL_ITEM)
		return on_item(context, &m->ctl_item);
	return EX_PROTOCOL;
}

static int
print_content(const struct show *show)
{
	const struct ctl *ctl = show->ctl;
	const uint8_t *data = content_map(show->content, show->size);

	if (data == NULL) {
		perror("posternctl: content");
		return EX_OSERR;
	}
	if (!show->options->content)
		fputc('\n', ctl->out);
	if (ctl->terminal)
		format_print_content(
		    ctl->out, data, (size_t)show->size, ctl->utf8);
	else
		fwrite(data, 1, (size_t)show->size, ctl->out);
	content_unmap(data, show->size);
	return EX_OK;
}

int
show_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_SHOW, 0);
	struct options options;
	struct show show = {
		.ctl = ctl,
		.options = &options,
		.content = -1,
	};
	const char *word;
	int code = words_one(c, count, words, &options, &word);

	if (code == EX_OK)
		code = words_id(word, &question.ctl_show.id);
	if (code != EX_OK)
		return code;
	if (options.content && options.json) {
		fputs("posternctl: --content or --json, not both\n", stderr);
		return EX_USAGE;
	}
	code = connect_ask_queue(ctl, &question, on_answer, &show);
	if (code == EX_OK && show.content != -1 && !options.json)
		code = print_content(&show);
	if (show.content != -1)
		close(show.content);
	return code;
}
