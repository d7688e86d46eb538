/*
 * posternctl trace ID|ADDRESS: the whole life of a message, also after it is
 * gone.
 */
#include <string.h>
#include <sysexits.h>

#include "common/address.h"
#include "common/via.h"
#include "ctl/connect.h"
#include "ctl/event.h"
#include "ctl/format.h"
#include "ctl/words.h"

struct trace {
	const struct ctl *ctl;
	bool json;
};

static int
on_event(const struct message *m, void *context)
{
	const struct trace *trace = context;
	const struct ctl *ctl = trace->ctl;

	if (m->type != MESSAGE_CTL_EVENT || !via_is_valid(m->ctl_event.via))
		return EX_PROTOCOL;
	if (trace->json)
		event_print_json(ctl, &m->ctl_event);
	else
		event_print(ctl, &m->ctl_event);
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
	return connect_ask_queue(ctl, &question, on_event, &trace);
}
