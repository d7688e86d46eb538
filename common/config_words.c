#include "common/config_words.h"

#include <string.h>
#include <strings.h>

#include "common/limits.h"

struct later_word {
	const char *word;
	bool starts;
	const char *advice;
};

static const char no_tls[] =
    "TLS; this version speaks plain SMTP only, so leave it out and listen on "
    "port 25 only";
static const char no_auth[] =
    "AUTH; let clients in by their address: accept from address NETWORK relay";
static const char no_relay_auth[] =
    "secrets; relay to a host that accepts this one by its address";

/* In the order of doc/design.md. */
static const struct later_word later_words[] = {
	{ "tls", true, no_tls },
	{ "certificate", false, no_tls },
	{ "key", false, no_tls },
	{ "implicit", false, no_tls },
	{ "required", false, no_tls },
	{ "auth", true, no_auth },
	{ "secrets", false, no_relay_auth },
	{ "trust", true,
	    "trust anchors; DNSSEC is not validated with a file yet, so leave "
	    "the statement out" },
	{ "lmdb", false,
	    "lmdb tables; use a text file: table \"NAME\" file \"PATH\"" },
	{ "regex", false,
	    "regex tables; write the entries out: table \"NAME\" { \"a\" }" },
	{ "as", false,
	    "virtual users; users must be login names of this host" },
	{ "lmtp", false, "LMTP; use: deliver maildir \"~/Maildir\"" },
	{ "mbox", false, "mbox; use: deliver maildir \"~/Maildir\"" },
	{ "pipe", false, "pipes; use: deliver maildir \"~/Maildir\"" },
	{ "rate", false,
	    "rate limits; limit connections per address N bounds a client" },
	{ "rewrite", true,
	    "rewriting of addresses; use aliases, or leave it out" },
	{ "filter", true, "filters; leave the statement out" },
	{ "greylist", true, "greylisting; leave the statement out" },
	{ "srs", true, "sender rewriting; leave the statement out" },
	{ "helo", false, "conditions on HELO; use from address NETWORK" },
};

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
words_distance(const char *a, const char *b, size_t most)
{
	/* Three rows of the usual table: the last two and the current. */
	size_t rows[3][LIMIT_NAME + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2], *spare;
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > LIMIT_NAME || b_length > LIMIT_NAME)
		return most + 1;
	memset(rows, 0, sizeof(rows));
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		spare = before;
		before = last;
		last = row;
		row = spare;
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			bool same = a[i - 1] == b[j - 1];

			row[j] = least(least(last[j] + 1, row[j - 1] + 1),
			    last[j - 1] + (same ? 0 : 1));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return least(row[b_length], most + 1);
}

void
nearest_word_start(struct nearest_word *n, const char *wanted)
{
	size_t length = strlen(wanted);

	/* One slip in a short word, two in a longer one, three in a long
	 * one: otherwise everything is near everything. */
	n->wanted = wanted;
	n->best = NULL;
	n->distance = length < 3 ? 1 : length < 5 ? 2 : length < 9 ? 3 : 4;
}

void
nearest_word_try(struct nearest_word *n, const char *candidate)
{
	size_t distance = words_distance(n->wanted, candidate, n->distance);

	if (distance < n->distance) {
		n->best = candidate;
		n->distance = distance;
	}
}

static const struct later_word *
later_word(const char *word)
{
	for (size_t i = 0; i < sizeof(later_words) / sizeof(*later_words); i++)
		if (strcmp(later_words[i].word, word) == 0)
			return &later_words[i];
	return NULL;
}

const char *
later_word_advice(const char *word)
{
	const struct later_word *later = later_word(word);

	return later != NULL ? later->advice : NULL;
}

bool
later_word_starts_statement(const char *word)
{
	const struct later_word *later = later_word(word);

	return later != NULL && later->starts;
}
