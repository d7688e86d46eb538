/*
 * The header filter, fed whole and in pieces whose sizes the input chooses:
 * the same must come out, within the promised room, and no Return-Path field
 * may be left in the header. The first octet says how to cut.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/local/header.h"

#define ADDRESS "a@b"

struct run {
	struct header header;
	uint8_t *out;
	size_t length;
};

static void
require(int condition)
{
	if (!condition)
		abort();
}

/* Pieces of 1 to `step` octets, or all at once if it is 0. */
static void
run(struct run *r, const uint8_t *data, size_t size, size_t step)
{
	r->out = malloc(size + HEADER_SLACK);
	require(r->out != NULL);
	r->length = 0;
	header_begin(&r->header, ADDRESS);
	for (size_t at = 0; at < size;) {
		size_t piece = step == 0 ? size : 1 + data[at] % step, n;

		if (piece > size - at)
			piece = size - at;
		n = header_feed(
		    &r->header, data + at, piece, r->out + r->length);
		require(n <= piece + HEADER_SLACK);
		r->length += n;
		at += piece;
	}
	r->length += header_finish(&r->header, r->out + r->length);
	require(r->length <= size);
}

static int
is_return_path(const uint8_t *line, size_t length)
{
	static const char name[] = "return-path";
	size_t i = sizeof(name) - 1;

	if (length <= i || strncasecmp((const char *)line, name, i) != 0)
		return 0;
	while (i < length && i < HEADER_NAME &&
	       (line[i] == ' ' || line[i] == '\t'))
		i++;
	return i < length && line[i] == ':';
}

static void
check_header(const struct run *r)
{
	size_t at = 0;

	while (at < r->length && r->out[at] != '\n') {
		const uint8_t *end = memchr(r->out + at, '\n', r->length - at);
		size_t length = end == NULL ? r->length - at
					    : (size_t)(end - (r->out + at));

		require(!is_return_path(r->out + at, length));
		at += length + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, cut;

	if (size < 1)
		return 0;
	run(&whole, data + 1, size - 1, 0);
	run(&cut, data + 1, size - 1, 1 + data[0] % 80);
	require(whole.length == cut.length);
	require(memcmp(whole.out, cut.out, whole.length) == 0);
	require(whole.header.loop == cut.header.loop);
	require(whole.header.lines == cut.header.lines);
	check_header(&whole);
	free(whole.out);
	free(cut.out);
	return 0;
}
