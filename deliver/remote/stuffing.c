#include "deliver/remote/stuffing.h"

#include <string.h>

static size_t
put(uint8_t *out, const void *data, size_t length)
{
	memcpy(out, data, length);
	return length;
}

/* A piece of one line, without its end. */
static size_t
put_piece(struct stuffing *s, const uint8_t *in, size_t length, uint8_t *out)
{
	size_t n = 0;

	if (length == 0)
		return 0;
	if (s->place == STUFFING_LINE_START && in[0] == '.')
		out[n++] = '.';
	s->place = STUFFING_IN_LINE;
	return n + put(out + n, in, length);
}

/* The first CR or LF, or the end. */
static const uint8_t *
find_line_end(const uint8_t *in, const uint8_t *end)
{
	const uint8_t *lf = memchr(in, '\n', (size_t)(end - in));
	const uint8_t *limit = lf == NULL ? end : lf;
	const uint8_t *cr = memchr(in, '\r', (size_t)(limit - in));

	return cr != NULL ? cr : limit;
}

size_t
stuffing_add(struct stuffing *s, const uint8_t *in, size_t length, uint8_t *out)
{
	const uint8_t *end = in + length;
	size_t n = 0;

	while (in < end) {
		const uint8_t *stop;

		if (s->place == STUFFING_AFTER_CR) {
			n += put(out + n, "\r\n", 2);
			s->place = STUFFING_LINE_START;
			if (*in == '\n') {
				in++;
				continue;
			}
		}
		stop = find_line_end(in, end);
		n += put_piece(s, in, (size_t)(stop - in), out + n);
		in = stop;
		if (in == end)
			break;
		if (*in == '\r')
			s->place = STUFFING_AFTER_CR;
		else {
			n += put(out + n, "\r\n", 2);
			s->place = STUFFING_LINE_START;
		}
		in++;
	}
	return n;
}

size_t
stuffing_end(struct stuffing *s, uint8_t *out)
{
	size_t n = 0;

	if (s->place != STUFFING_LINE_START)
		n += put(out, "\r\n", 2);
	s->place = STUFFING_LINE_START;
	return n + put(out + n, ".\r\n", 3);
}
