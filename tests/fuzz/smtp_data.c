/* Any octets after DATA, in any pieces: the decoder gives what a plain
 * reading of RFC 5321 4.5.2 gives, however the input is split. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtpd/data.h"
#include "smtpd/opening.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what)            \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)
#define LIMIT 4096

struct text {
	uint8_t *octets;
	size_t length;
	bool ended, bare, nul;
	size_t consumed;
};

static int
keep(void *context, const uint8_t *data, size_t length)
{
	struct text *t = context;

	REQUIRE(length > 0 && length <= LIMIT - t->length);
	memcpy(t->octets + t->length, data, length);
	t->length += length;
	return 0;
}

/* Line by line; a line ends in CRLF and in nothing else. */
static void
decode_plainly(const uint8_t *in, size_t size, struct text *t)
{
	size_t at = 0;

	while (at < size && !t->ended) {
		const uint8_t *end = memmem(in + at, size - at, "\r\n", 2);
		size_t length =
		    end != NULL ? (size_t)(end - in) - at : size - at;
		const uint8_t *line = in + at;

		at += end != NULL ? length + 2 : length;
		if (end != NULL && length == 1 && line[0] == '.') {
			t->ended = true;
			break;
		}
		if (length > 0 && line[0] == '.') {
			line++;
			length--;
		}
		t->bare |= memchr(line, '\r', length) != NULL ||
			   memchr(line, '\n', length) != NULL;
		t->nul |= memchr(line, '\0', length) != NULL;
		memcpy(t->octets + t->length, line, length);
		t->length += length;
		if (end != NULL) {
			memcpy(t->octets + t->length, "\r\n", 2);
			t->length += 2;
		}
	}
	t->consumed = at;
}

/* In pieces whose lengths come from the seed. */
static void
decode_in_pieces(const uint8_t *in, size_t size, unsigned int seed,
    struct data *d, struct text *t)
{
	data_start(d, LIMIT);
	while (t->consumed < size && d->state != DATA_END) {
		size_t piece = 1 + seed % 7 * (seed % 3) * (seed % 11);
		uint8_t *copy;

		seed = seed * 1103515245 + 12345;
		if (piece > size - t->consumed)
			piece = size - t->consumed;
		copy = malloc(piece);
		REQUIRE(copy != NULL);
		memcpy(copy, in + t->consumed, piece);
		t->consumed += data_decode(d, copy, piece, keep, t);
		free(copy);
	}
	t->ended = d->state == DATA_END;
}

static void
check(const struct data *d, const struct text *got, const struct text *plain)
{
	REQUIRE(got->ended == plain->ended);
	if (!got->ended)
		return;
	REQUIRE(got->consumed == plain->consumed);
	REQUIRE((d->refusal == DATA_BARE_NEWLINE) == plain->bare);
	if (plain->bare)
		return;
	REQUIRE(d->size == plain->length);
	REQUIRE((d->refusal == DATA_TOO_BIG) == (plain->length > LIMIT));
	if (plain->nul)
		REQUIRE(d->refusal != DATA_GOOD);
	if (d->refusal == DATA_GOOD) {
		REQUIRE(got->length == plain->length);
		REQUIRE(memcmp(got->octets, plain->octets, got->length) == 0);
	}
}

/* Whether there is a header is the same octet by octet. */
static void
check_opening(const struct text *t)
{
	struct opening whole = { .length = 0 }, single = { .length = 0 };

	REQUIRE(opening_take(&whole, t->octets, t->length) <= t->length);
	for (size_t i = 0; i < t->length && !opening_is_decided(&single); i++)
		REQUIRE(opening_take(&single, t->octets + i, 1) == 1);
	opening_end(&whole);
	opening_end(&single);
	REQUIRE(whole.state == single.state && whole.length == single.length);
	REQUIRE(memcmp(whole.held, t->octets, whole.length) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = { 0 }, pieces = { 0 }, plain = { 0 };
	struct data one, many;

	if (size < 2)
		return 0;
	whole.octets = malloc(LIMIT);
	pieces.octets = malloc(LIMIT);
	plain.octets = malloc(size);
	REQUIRE(whole.octets && pieces.octets && plain.octets);

	decode_plainly(data + 2, size - 2, &plain);
	data_start(&one, LIMIT);
	whole.consumed = data_decode(&one, data + 2, size - 2, keep, &whole);
	whole.ended = one.state == DATA_END;
	check(&one, &whole, &plain);
	decode_in_pieces(data + 2, size - 2,
	    (unsigned int)data[0] << 8 | data[1], &many, &pieces);
	check(&many, &pieces, &plain);
	REQUIRE(one.hops == many.hops && one.lines == many.lines);
	check_opening(&whole);

	free(whole.octets);
	free(pieces.octets);
	free(plain.octets);
	return 0;
}
