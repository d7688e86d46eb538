/*
 * posternctl stats: the queue's counters.
 */
#include <inttypes.h>
#include <sysexits.h>

#include "ctl/connect.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/options.h"

struct stats {
	const struct ctl *ctl;
	bool json;
};

static int
on_stat(const struct message *m, void *context)
{
	const struct message_ctl_stat *stat = &m->ctl_stat;
	const struct stats *stats = context;
	FILE *out = stats->ctl->out;
	struct json j;

	if (m->type != MESSAGE_CTL_STAT)
		return EX_PROTOCOL;
	if (stats->json) {
		json_begin(&j, out);
		json_text(&j, "name", stat->name);
		json_number(&j, "value", stat->value);
		json_text(&j, "help", stat->help);
		json_end(&j);
		return EX_OK;
	}
	fprintf(out, "%12" PRIu64 "  ", stat->value);
	format_print(out, stat->name);
	if (stat->help[0] != '\0' && stats->ctl->terminal) {
		fputs(": ", out);
		format_print(out, stat->help);
	}
	fputc('\n', out);
	return EX_OK;
}

int
stats_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_STATS, 0);
	struct stats stats = { .ctl = ctl };
	struct options options;
	int code = options_parse(c, count, words, &options);

	if (code != EX_OK)
		return code;
	if (options.count != 0) {
		options_print_usage(c, stderr);
		return EX_USAGE;
	}
	stats.json = options.json;
	return connect_ask_queue(ctl->run, &question, on_stat, &stats);
}
