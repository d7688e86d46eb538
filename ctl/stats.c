/*
 * posternctl stats: the queue's counters.
 */
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/connect.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/words.h"
#include "ctl/wrap.h"

struct stats {
	const struct ctl *ctl;
	const struct options *options;
};

static const char *
type_name(const struct message_ctl_stat *stat)
{
	return stat->rises != 0 ? "counter" : "gauge";
}

static void
print_json(FILE *out, const struct message_ctl_stat *stat)
{
	struct json j;

	json_begin(&j, out);
	json_text(&j, "name", stat->name);
	json_number(&j, "value", stat->value);
	json_text(&j, "help", stat->help);
	json_text(&j, "type", type_name(stat));
	json_end(&j);
}

/* The text format of Prometheus, version 0.0.4. A counter's name ends in
 * "total" by custom. No help of ours has a line feed or a backslash, and
 * format_print() lets none through. */
static void
print_prometheus(FILE *out, const struct message_ctl_stat *stat)
{
	const char *end = stat->rises != 0 ? "_total" : "";

	fprintf(out, "# HELP postern_queue_%s%s ", stat->name, end);
	format_print(out, stat->help);
	fprintf(out,
	    "\n# TYPE postern_queue_%s%s %s\npostern_queue_%s%s %" PRIu64 "\n",
	    stat->name, end, type_name(stat), stat->name, end, stat->value);
}

static void
print_text(const struct ctl *ctl, const struct message_ctl_stat *stat)
{
	struct wrap wrap;
	FILE *out;

	wrap_begin(&wrap, ctl);
	out = wrap.ctl.out;
	fprintf(out, "%12" PRIu64 "  ", stat->value);
	format_print(out, stat->name);
	if (stat->help[0] != '\0' && ctl->terminal) {
		fputs(": ", out);
		format_print(out, stat->help);
	}
	fputc('\n', out);
	wrap_end(&wrap, 14);
}

static int
on_stat(const struct message *m, void *context)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
	const struct message_ctl_stat *stat = &m->ctl_stat;
	const struct stats *stats = context;

	if (m->type != MESSAGE_CTL_STAT || stat->name[0] == '\0' ||
	    stat->name[strspn(stat->name, letters)] != '\0')
		return EX_PROTOCOL;
	if (stats->options->json)
		print_json(stats->ctl->out, stat);
	else if (stats->options->prometheus)
		print_prometheus(stats->ctl->out, stat);
	else
		print_text(stats->ctl, stat);
	return EX_OK;
}

int
stats_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_STATS, 0);
	struct options options;
	struct stats stats = { .ctl = ctl, .options = &options };
	int code = words_none(c, count, words, &options);

	if (code != EX_OK)
		return code;
	if (options.json && options.prometheus) {
		fputs("posternctl: --json or --prometheus, not both\n", stderr);
		return EX_USAGE;
	}
	return connect_ask_queue(ctl, &question, on_stat, &stats);
}
