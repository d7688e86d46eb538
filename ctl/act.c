/*
 * posternctl retry, hold, release, remove, bounce, redirect: by id or by filter.
 */
#include <inttypes.h>
#include <sysexits.h>

#include "common/id.h"
#include "ctl/connect.h"
#include "ctl/format.h"
#include "ctl/item.h"
#include "ctl/json.h"
#include "ctl/options.h"
#include "ctl/select.h"
#include "ctl/words.h"

struct act {
	const struct ctl *ctl;
	const struct command *command;
	const struct options *options;
	uint64_t count;
	bool headed;
	bool told; /* of a message that was to be redirected */
};

static const char *const done[CTL_VERBS] = {
	[CTL_VERB_RETRY] = "due now",
	[CTL_VERB_HOLD] = "held",
	[CTL_VERB_RELEASE] = "released",
	[CTL_VERB_REMOVE] = "removed",
	[CTL_VERB_BOUNCE] = "given up, with a report to the sender",
	[CTL_VERB_REDIRECT] = "redirected",
};

/* What became of one message. */
static void
print_redirected(const struct act *act, const struct message_ctl_redirected *r)
{
	FILE *out = r->made != 0 ? act->ctl->out : stderr;
	struct json j;

	if (act->options->json) {
		json_begin(&j, act->ctl->out);
		json_text(&j, "id", id_format(r->id).text);
		json_text(
		    &j, "made", r->made != 0 ? id_format(r->made).text : "");
		json_number(&j, "recipients", r->recipients);
		json_number(&j, "code", r->code);
		json_text(&j, "reply", r->reply);
		json_end(&j);
		return;
	}
	if (r->made != 0) {
		fprintf(out, "%s is now %s\n", id_format(r->id).text,
		    id_format(r->made).text);
		return;
	}
	fprintf(out, "posternctl: %s: %u ", id_format(r->id).text, r->code);
	format_print(out, r->reply);
	fputc('\n', out);
}

static int
on_redirected(struct act *act, const struct message_ctl_redirected *r)
{
	if (act->command->verb != CTL_VERB_REDIRECT || act->options->dry_run)
		return EX_PROTOCOL;
	act->told = true;
	print_redirected(act, r);
	return EX_OK;
}

/* Else only a dry run answers with items: what would have been affected. */
static int
on_item(const struct message *m, void *context)
{
	struct act *act = context;

	if (m->type == MESSAGE_CTL_REDIRECTED)
		return on_redirected(act, &m->ctl_redirected);
	if (m->type != MESSAGE_CTL_ITEM || !act->options->dry_run ||
	    !item_is_valid(&m->ctl_item))
		return EX_PROTOCOL;
	if (act->options->json) {
		item_print_json(act->ctl, &m->ctl_item);
		return EX_OK;
	}
	if (!act->headed && act->ctl->terminal)
		item_print_heading(act->ctl);
	act->headed = true;
	item_print(act->ctl, &m->ctl_item);
	return EX_OK;
}

static void
print_result(const struct act *act)
{
	FILE *out = act->ctl->out;
	struct json j;

	if (act->options->json) {
		if (act->options->dry_run)
			return;
		json_begin(&j, out);
		json_text(&j, "verb", act->command->name);
		json_number(&j, "recipients", act->count);
		json_end(&j);
		return;
	}
	fprintf(out, "%" PRIu64 " recipient%s %s%s\n", act->count,
	    act->count == 1 ? "" : "s",
	    act->options->dry_run ? "would be " : "", done[act->command->verb]);
}

/* Acts on one message, or with an id of zero on all that the filter means. */
static int
ask(struct act *act, struct connection *connection, uint64_t id)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_ACT, 0);
	int code;

	select_act(&question, (enum ctl_verb)act->command->verb,
	    act->options->dry_run, id, &act->options->filter,
	    act->options->to != NULL ? act->options->to : "");
	code = connect_ask(connection, &question, on_item, act, false);
	act->count += connection->count;
	return code;
}

/* Every id is checked before the first is acted upon. An id that is unknown
 * does not keep the others from being served. */
static int
ask_each(struct act *act, struct connection *connection)
{
	int result = EX_OK;

	for (int i = 0; i < act->options->count; i++) {
		uint64_t id;
		int code = words_id(act->options->words[i], &id);

		if (code == EX_OK)
			code = ask(act, connection, id);
		if (code != EX_OK && code != EX_NOINPUT)
			return code;
		if (code != EX_OK)
			result = code;
	}
	return result;
}

static int
check_words(const struct command *c, const struct options *o)
{
	bool everything = filter_is_everything(&o->filter);

	if (c->verb == CTL_VERB_REDIRECT && o->to == NULL) {
		fprintf(stderr, "posternctl: redirect needs --to ADDRESS\n");
		return EX_USAGE;
	}
	if (o->count > 0 && (!everything || o->all)) {
		fprintf(stderr,
		    "posternctl: %s takes either ids or a filter, not both\n",
		    c->name);
		return EX_USAGE;
	}
	if (o->all && !everything) {
		fprintf(stderr,
		    "posternctl: %s takes either a filter or --all, not both\n",
		    c->name);
		return EX_USAGE;
	}
	if (o->count == 0 && everything && !o->all) {
		fprintf(stderr,
		    "posternctl: %s needs an id or a filter, or --all to mean "
		    "every message in the queue\n",
		    c->name);
		options_print_usage(c, stderr);
		return EX_USAGE;
	}
	for (int i = 0; i < o->count; i++) {
		uint64_t id;
		int code = words_id(o->words[i], &id);

		if (code != EX_OK)
			return code;
	}
	return EX_OK;
}

int
act_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct connection connection;
	struct options options;
	struct act act = { .ctl = ctl, .command = c, .options = &options };
	int code = options_parse(c, count, words, &options);

	if (code == EX_OK)
		code = check_words(c, &options);
	if (code != EX_OK)
		return code;
	code = connect_open(&connection, ctl->run, PROGRAM_QUEUE);
	if (code != EX_OK)
		return code;
	if (options.count > 0)
		code = ask_each(&act, &connection);
	else
		code = ask(&act, &connection, 0);
	connect_close(&connection);
	if (code == EX_OK || act.count > 0 || act.told)
		print_result(&act);
	return code;
}
