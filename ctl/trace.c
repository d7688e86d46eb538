/*
 * posternctl trace ID|ADDRESS: the whole life of a message, also after it is
 * gone.
 */
#include <string.h>
#include <sysexits.h>

#include "common/address.h"
#include "common/id.h"
#include "common/mail.h"
#include "ctl/connect.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/words.h"

struct trace {
	const struct ctl *ctl;
	bool json;
};

static void
print_pair(FILE *out, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	fprintf(out, " %s=", name);
	format_print(out, text);
}

static const char *
colour_of(unsigned int what)
{
	switch (what) {
	case EVENT_DELIVERED:
		return "\033[32m";
	case EVENT_DEFERRED:
	case EVENT_HELD:
	case EVENT_WARNED:
	case EVENT_REDIRECTED:
		return "\033[33m";
	case EVENT_FAILED:
	case EVENT_REMOVED:
	case EVENT_BOUNCED:
		return "\033[31m";
	default:
		return "\033[0m";
	}
}

static void
print_event(const struct ctl *ctl, const struct message_ctl_event *e)
{
	FILE *out = ctl->out;

	fprintf(out, "%s %s %s%-9s%s", format_time_local(e->time).text,
	    id_format(e->id).text, ctl->colour ? colour_of(e->what) : "",
	    event_kind_name(e->what), ctl->colour ? "\033[0m" : "");
	if (e->what == EVENT_ACCEPTED) {
		fputs(" from=", out);
		format_print_sender(out, e->sender);
	}
	print_pair(out, "to", e->address);
	if (strcmp(e->original, e->address) != 0)
		print_pair(out, "original", e->original);
	print_pair(out, "destination", e->destination);
	print_pair(out, "host", e->host);
	if (e->detail[0] != '\0') {
		fputs(": ", out);
		format_print(out, e->detail);
	}
	fputc('\n', out);
}

static void
print_event_json(const struct ctl *ctl, const struct message_ctl_event *e)
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
	json_end(&j);
}

static int
on_event(const struct message *m, void *context)
{
	struct trace *trace = context;

	if (m->type != MESSAGE_CTL_EVENT)
		return EX_PROTOCOL;
	if (trace->json)
		print_event_json(trace->ctl, &m->ctl_event);
	else
		print_event(trace->ctl, &m->ctl_event);
	return EX_OK;
}

/* An id has no "@"; the one address without is postmaster's. */
static int
read_subject(const char *word, struct message_ctl_trace *question,
    struct address *address)
{
	if (strchr(word, '@') == NULL && strcasecmp(word, "postmaster") != 0)
		return words_id(word, &question->id);
	if (address_parse(word, ADDRESS_FORWARD_PATH, address) == 0) {
		question->address = address->text;
		return EX_OK;
	}
	fputs("posternctl: \"", stderr);
	format_print(stderr, word);
	fputs("\" is neither a message id nor an address\n", stderr);
	return EX_DATAERR;
}

int
trace_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_TRACE, 0);
	struct trace trace = { .ctl = ctl };
	struct options options;
	struct address address;
	const char *word;
	int code = words_one(c, count, words, &options, &word);

	if (code == EX_OK)
		code = read_subject(word, &question.ctl_trace, &address);
	if (code != EX_OK)
		return code;
	trace.json = options.json;
	return connect_ask_queue(ctl->run, &question, on_event, &trace);
}
