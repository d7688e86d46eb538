/*
 * posternctl pause, resume: of a destination, of all delivery, or of listening.
 */
#include <string.h>
#include <sysexits.h>

#include "ctl/connect.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/options.h"

struct pause {
	const struct ctl *ctl;
	const struct command *command;
	const struct options *options;
};

static void
print_result(const struct pause *p, const char *destination, bool changed)
{
	bool resume = p->command->verb != 0;
	FILE *out = p->ctl->out;
	struct json j;

	if (p->options->json) {
		json_begin(&j, out);
		json_text(&j, "verb", p->command->name);
		json_text(&j, "destination", destination);
		json_boolean(&j, "changed", changed);
		json_end(&j);
		return;
	}
	if (destination[0] != '\0')
		format_print(out, destination);
	else
		fputs("all delivery", out);
	if (changed)
		fprintf(out, " is %s\n", resume ? "resumed" : "paused");
	else
		fprintf(
		    out, " was %s\n", resume ? "not paused" : "paused already");
}

static int
ask(const struct pause *p, struct connection *c, const char *destination)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_PAUSE, 0);
	int code;

	question.ctl_pause.resume = p->command->verb != 0;
	question.ctl_pause.destination = destination;
	code = connect_ask(c, &question, connect_receive_none, NULL, false);
	if (code == EX_OK)
		print_result(p, destination, c->count != 0);
	return code;
}

/* Of the supervisor, which has the sockets. */
static int
ask_listening(const struct pause *p)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_LISTENING, 0);
	bool resume = p->command->verb != 0;
	struct connection c;
	struct json j;
	int code = connect_open(&c, p->ctl->run, PROGRAM_SUPERVISOR);

	question.ctl_listening.resume = resume;
	if (code == EX_OK)
		code = connect_ask(
		    &c, &question, connect_receive_none, NULL, false);
	connect_close(&c);
	if (code != EX_OK)
		return code;
	if (p->options->json) {
		json_begin(&j, p->ctl->out);
		json_text(&j, "verb", p->command->name);
		json_boolean(&j, "listening", resume);
		json_boolean(&j, "changed", c.count != 0);
		json_end(&j);
	} else
		fprintf(p->ctl->out, "listening %s %s\n",
		    c.count != 0 ? "is" : "was",
		    resume	   ? c.count != 0 ? "resumed" : "not paused"
		    : c.count != 0 ? "paused"
				   : "paused already");
	return EX_OK;
}

/* The first that is not a destination ends it. */
static int
ask_all(const struct pause *p, struct connection *c)
{
	int code = EX_OK;

	if (p->options->all)
		return ask(p, c, "");
	for (int i = 0; i < p->options->count && code == EX_OK; i++)
		code = ask(p, c, p->options->words[i]);
	return code;
}

static int
check_words(const struct command *c, const struct options *o)
{
	bool good = (o->all || o->listening) == (o->count == 0) &&
		    !(o->all && o->listening);

	for (int i = 0; i < o->count && good; i++)
		good = o->words[i][0] != '\0' &&
		       strlen(o->words[i]) <= LIMIT_DESTINATION;
	if (good)
		return EX_OK;
	fprintf(stderr,
	    "posternctl: %s needs destinations, as \"queue\" shows them, or "
	    "--all, or --listening\n",
	    c->name);
	options_print_usage(c, stderr);
	return EX_USAGE;
}

int
pause_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct connection connection;
	struct options options;
	struct pause p = { .ctl = ctl, .command = c, .options = &options };
	int code = options_parse(c, count, words, &options);

	if (code == EX_OK)
		code = check_words(c, &options);
	if (code != EX_OK)
		return code;
	if (options.listening)
		return ask_listening(&p);
	code = connect_open(&connection, ctl->run, PROGRAM_QUEUE);
	if (code == EX_OK)
		code = ask_all(&p, &connection);
	connect_close(&connection);
	return code;
}
