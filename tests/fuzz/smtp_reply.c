/*
 * The reader of remote replies: the first octet says in what pieces the rest
 * arrives. The pieces must not matter, and what is taken for a reply must be
 * one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/remote/extensions.h"
#include "deliver/remote/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Every line has the code, and only the last has no hyphen after it. */
static void
check_reply(const struct reply *r)
{
	const char *line = r->text;
	struct extensions e;

	if (r->code < 200 || r->code > 599 || strlen(r->text) != r->length ||
	    r->length > LIMIT_REMOTE_REPLY)
		abort();
	for (;;) {
		const char *end = strstr(line, "\r\n");
		size_t length =
		    end != NULL ? (size_t)(end - line) : strlen(line);

		if (length < 3 ||
		    (unsigned int)strtoul(line, NULL, 10) != r->code ||
		    (length > 3 && line[3] == '-') != (end != NULL) ||
		    memchr(line, '\r', length) != NULL ||
		    memchr(line, '\n', length) != NULL)
			abort();
		if (end == NULL)
			break;
		line = end + 2;
	}
	extensions_read(&e, r->text, true);
	if (e.size_limit > 0 && !e.size)
		abort();
	(void)extensions_is_host(r->text, "mail.example.org");
}

/* Reads at most one reply in pieces of `step` octets. */
static enum reply_status
feed(struct reply *r, const char *data, size_t size, size_t step, size_t *taken)
{
	enum reply_status status = REPLY_MORE;
	size_t used;

	*taken = 0;
	while (status == REPLY_MORE && *taken < size) {
		size_t n = size - *taken < step ? size - *taken : step;

		status = reply_feed(r, data + *taken, n, &used);
		if (used > n)
			abort();
		*taken += used;
	}
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reply whole, pieces;
	const char *text = (const char *)data + 1;
	size_t left = size - 1, taken, same;
	enum reply_status status;

	if (size == 0)
		return 0;
	memset(&whole, 0, sizeof(whole));
	memset(&pieces, 0, sizeof(pieces));
	do {
		status = feed(&whole, text, left, left + 1, &taken);
		if (feed(&pieces, text, left, data[0] % 7U + 1, &same) !=
		    status)
			abort();
		if (status != REPLY_COMPLETE)
			break;
		if (same != taken || pieces.code != whole.code ||
		    strcmp(pieces.text, whole.text) != 0)
			abort();
		check_reply(&whole);
		text += taken;
		left -= taken;
	} while (left > 0);
	return 0;
}
