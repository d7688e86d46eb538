#include "ctl/options.h"

#include <assert.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "common/address.h"
#include "common/limits.h"
#include "common/mail.h"
#include "ctl/nearest.h"

struct option {
	const char *name;
	const char *value; /* what to call it; NULL if it takes none */
	const char *help;
	const char *wanted; /* what a value must be */
	unsigned int set;
	int (*use)(struct options *, const char *value);
};

static int
use_json(struct options *o, const char *value)
{
	(void)value;
	o->json = true;
	return 0;
}

static int
use_prometheus(struct options *o, const char *value)
{
	(void)value;
	o->prometheus = true;
	return 0;
}

static int
use_dry_run(struct options *o, const char *value)
{
	(void)value;
	o->dry_run = true;
	return 0;
}

static int
use_all(struct options *o, const char *value)
{
	(void)value;
	o->all = true;
	return 0;
}

static int
use_listening(struct options *o, const char *value)
{
	(void)value;
	o->listening = true;
	return 0;
}

static int
use_content(struct options *o, const char *value)
{
	(void)value;
	o->content = true;
	return 0;
}

static int
use_pattern(const char **to, const char *value, size_t most)
{
	if (value[0] == '\0' || strlen(value) > most)
		return -1;
	*to = value;
	return 0;
}

/* The queue compares whole texts: half an address would match nothing, which
 * looks as if there were nothing. */
static int
use_address(const char **to, const char *value)
{
	if (strchr(value, '@') == NULL && strcasecmp(value, "postmaster") != 0)
		return -1;
	return use_pattern(to, value, LIMIT_PATH);
}

static int
use_sender(struct options *o, const char *value)
{
	if (strcmp(value, "<>") == 0)
		return use_pattern(&o->filter.sender, value, LIMIT_PATH);
	return use_address(&o->filter.sender, value);
}

static int
use_recipient(struct options *o, const char *value)
{
	return use_address(&o->filter.recipient, value);
}

static int
use_destination(struct options *o, const char *value)
{
	if (strncasecmp(value, "mx:", 3) != 0 &&
	    strncasecmp(value, "relay:", 6) != 0 &&
	    strncasecmp(value, "local:", 6) != 0)
		return -1;
	return use_pattern(&o->filter.destination, value, LIMIT_DESTINATION);
}

static int
use_reply(struct options *o, const char *value)
{
	return use_pattern(&o->filter.reply, value, LIMIT_REPLY);
}

static int
use_to(struct options *o, const char *value)
{
	struct address address;

	if (address_parse(value, ADDRESS_FORWARD_PATH, &address) == -1)
		return -1;
	o->to = value;
	return 0;
}

static int
use_state(struct options *o, const char *value)
{
	return filter_parse_state(value, &o->filter.state);
}

static int
use_age(struct options *o, const char *value)
{
	return filter_parse_duration(value, &o->filter.age);
}

static int
use_size(struct options *o, const char *value)
{
	return filter_parse_size(value, &o->filter.size);
}

#define WANTED_TEXT "a text of a sensible length"
static const struct option options[] = {
	{ "--sender", "ADDRESS",
	    "from it; \"@example.org\" for a whole domain, \"<>\" for "
	    "bounces",
	    "an address, @DOMAIN or <>", OPTIONS_FILTER, use_sender },
	{ "--recipient", "ADDRESS", "to it; \"@example.org\" for a domain",
	    "an address or @DOMAIN", OPTIONS_FILTER, use_recipient },
	{ "--destination", "NAME", "waiting for it, as \"queue\" shows it",
	    "a destination: mx:DOMAIN, relay:NAME or local:USER",
	    OPTIONS_FILTER | OPTIONS_DESTINATION, use_destination },
	{ "--state", "STATE", "waiting, held, failed or delivered",
	    "a state: waiting, held, failed or delivered", OPTIONS_FILTER,
	    use_state },
	{ "--older-than", "TIME", "arrived that long ago: 90s, 5m, 1h30m, 2d",
	    "a time such as 90s, 5m, 1h30m or 2d", OPTIONS_FILTER, use_age },
	{ "--larger-than", "SIZE", "of that size at least: 4711, 10K, 5M, 1G",
	    "a size such as 4711, 10K, 5M or 1G", OPTIONS_FILTER, use_size },
	{ "--reply", "TEXT", "with TEXT in the last reply", WANTED_TEXT,
	    OPTIONS_FILTER, use_reply },
	{ "--all", NULL, "every message in the queue", NULL, OPTIONS_ACT,
	    use_all },
	{ "--all", NULL, "all delivery", NULL, OPTIONS_PAUSE, use_all },
	{ "--listening", NULL, "not delivery: SMTP clients are refused", NULL,
	    OPTIONS_PAUSE, use_listening },
	{ "--to", "ADDRESS", "where to redirect it", "an address", OPTIONS_TO,
	    use_to },
	{ "--dry-run", NULL, "only show what would be affected", NULL,
	    OPTIONS_ACT, use_dry_run },
	{ "--content", NULL, "only the message itself, octet by octet", NULL,
	    OPTIONS_CONTENT, use_content },
	{ "--json", NULL, "one JSON object a line", NULL, OPTIONS_JSON,
	    use_json },
	{ "--prometheus", NULL, "as Prometheus reads it", NULL,
	    OPTIONS_PROMETHEUS, use_prometheus },
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))
static_assert(OPTIONS <= OPTIONS_MOST, "a place in options.given for each");

static bool
has(const struct command *c, const struct option *o)
{
	return (c->options & o->set) != 0;
}

static const struct option *
find(const struct command *c, const char *word, size_t length)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (has(c, &options[i]) && strlen(options[i].name) == length &&
		    strncmp(options[i].name, word, length) == 0)
			return &options[i];
	return NULL;
}

static int
say_unknown(const struct command *c, const char *word, size_t length)
{
	const char *best = NULL;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	for (size_t i = 0; i < OPTIONS; i++)
		if (has(c, &options[i]))
			nearest_consider(name, options[i].name, &best);
	fprintf(stderr, "posternctl: %s has no option %.*s%s%s%s\n", c->name,
	    (int)length, word, best != NULL ? "; did you mean " : "",
	    best != NULL ? best : "", best != NULL ? "?" : "");
	options_print_usage(c, stderr);
	return EX_USAGE;
}

/* Of two values one would go unheard, and an act mean more than was asked. */
static int
use_value(const struct option *o, struct options *result, const char *value)
{
	const char **given = &result->given[o - options];

	if (*given != NULL && strcmp(*given, value) != 0) {
		fprintf(stderr,
		    "posternctl: %s is given twice, \"%s\" and \"%s\"\n",
		    o->name, *given, value);
		return EX_USAGE;
	}
	*given = value;
	if (o->use(result, value) == 0)
		return EX_OK;
	fprintf(stderr, "posternctl: %s: \"%s\" is not %s\n", o->name, value,
	    o->wanted);
	return EX_USAGE;
}

/* Uses the option at words[*at]; leaves `at` on the last word used. */
static int
use_option(const struct command *c, int count, char **words, int *at,
    struct options *result)
{
	const char *word = words[*at], *equals = strchr(word, '=');
	size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const struct option *o = find(c, word, length);

	if (o == NULL)
		return say_unknown(c, word, length);
	if (o->value == NULL && equals == NULL)
		return o->use(result, "") == 0 ? EX_OK : EX_USAGE;
	if (o->value == NULL) {
		fprintf(stderr, "posternctl: %s takes no value\n", o->name);
		return EX_USAGE;
	}
	if (equals != NULL)
		return use_value(o, result, equals + 1);
	if (*at + 1 < count)
		return use_value(o, result, words[++*at]);
	fprintf(
	    stderr, "posternctl: %s needs a value: %s\n", o->name, o->value);
	return EX_USAGE;
}

int
options_parse(
    const struct command *c, int count, char **words, struct options *result)
{
	bool ended = false;

	*result = (struct options){
		.filter = FILTER_EVERYTHING,
		.words = words,
	};
	for (int i = 0; i < count; i++) {
		int code;

		if (ended || words[i][0] != '-' || words[i][1] == '\0') {
			words[result->count++] = words[i];
			continue;
		}
		if (strcmp(words[i], "--") == 0) {
			ended = true;
			continue;
		}
		code = use_option(c, count, words, &i, result);
		if (code != EX_OK)
			return code;
	}
	return EX_OK;
}

void
options_print_usage(const struct command *c, FILE *out)
{
	fprintf(out, "usage: posternctl [-c FILE] %s%s%s%s\n", c->name,
	    c->arguments[0] != '\0' ? " " : "", c->arguments,
	    c->options != 0 ? " [OPTION...]" : "");
}

void
options_print_help(const struct command *c, FILE *out)
{
	char name[40];

	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = &options[i];

		if (!has(c, o))
			continue;
		snprintf(name, sizeof(name), "%s%s%s", o->name,
		    o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		fprintf(out, "  %-24s %s\n", name, o->help);
	}
}
