#include "ctl/words.h"

#include <stdio.h>
#include <sysexits.h>

#include "common/id.h"
#include "ctl/format.h"

int
words_none(const struct command *c, int count, char **words, struct options *o)
{
	int code = options_parse(c, count, words, o);
	uint64_t id;

	if (code != EX_OK || o->count == 0)
		return code;
	fprintf(stderr, "posternctl: %s takes options only, not \"", c->name);
	format_print(stderr, o->words[0]);
	fputs("\"\n", stderr);
	if (id_parse(o->words[0], &id) == 0)
		fputs("posternctl: of one message tell why, show and trace\n",
		    stderr);
	options_print_usage(c, stderr);
	return EX_USAGE;
}

int
words_one(const struct command *c, int count, char **words, struct options *o,
    const char **word)
{
	int code = options_parse(c, count, words, o);

	if (code != EX_OK)
		return code;
	if (o->count != 1) {
		fprintf(stderr, "posternctl: %s takes one %s\n", c->name,
		    c->arguments);
		options_print_usage(c, stderr);
		return EX_USAGE;
	}
	*word = o->words[0];
	return EX_OK;
}

int
words_id(const char *word, uint64_t *id)
{
	if (id_parse(word, id) == 0)
		return EX_OK;
	fputs("posternctl: \"", stderr);
	format_print(stderr, word);
	fputs("\" is not a message id: those are 13 letters and digits\n",
	    stderr);
	return EX_DATAERR;
}
