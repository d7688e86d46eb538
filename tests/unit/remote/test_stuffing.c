/* Dots and line ends: whatever the content, what goes out is lines in CRLF,
 * and only the end is a lone dot. */
#include "test.h"

#include "deliver/remote/stuffing.h"

static const struct row {
	const char *in, *out;
} rows[] = {
	{ "", ".\r\n" },
	{ "a\r\n", "a\r\n.\r\n" },
	{ "a", "a\r\n.\r\n" },
	{ "\r\n", "\r\n.\r\n" },
	{ ".", "..\r\n.\r\n" },
	{ ".\r\n", "..\r\n.\r\n" },
	{ "..\r\n", "...\r\n.\r\n" },
	{ "a.\r\n.b\r\n", "a.\r\n..b\r\n.\r\n" },
	{ "a\r\n.\r\nMAIL FROM:<>\r\n", "a\r\n..\r\nMAIL FROM:<>\r\n.\r\n" },
	/* what no content of ours has */
	{ "a\n.\nb", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r.\rb", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r\n.\rb\r\n", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\n\r\n.\n", "a\r\n\r\n..\r\n.\r\n" },
	{ "a\r\r\n", "a\r\n\r\n.\r\n" },
	{ "a\r", "a\r\n.\r\n" },
	{ "\r.", "\r\n..\r\n.\r\n" },
	{ "\n\r", "\r\n\r\n.\r\n" },
};

static size_t
stuff(const uint8_t *in, size_t length, size_t step, uint8_t *out)
{
	struct stuffing s = { STUFFING_LINE_START };
	size_t n = 0, at = 0;

	while (at < length) {
		size_t piece = length - at < step ? length - at : step;
		uint8_t *room = malloc(STUFFING_SIZE(piece));
		size_t made = stuffing_add(&s, in + at, piece, room);

		assert_true(made <= STUFFING_SIZE(piece));
		memcpy(out + n, room, made);
		free(room);
		n += made;
		at += piece;
	}
	return n + stuffing_end(&s, out + n);
}

static void
test_rows(void **unused)
{
	uint8_t out[256];

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		for (size_t step = 1; step <= strlen(rows[i].in) + 1; step++) {
			size_t n = stuff((const uint8_t *)rows[i].in,
			    strlen(rows[i].in), step, out);

			out[n] = '\0';
			assert_string_equal((char *)out, rows[i].out);
		}
}

/* What a receiver makes of it (RFC 5321 4.5.2). -1 unless it ends exactly at
 * the first lone dot, and has no bare CR or LF. */
static int
receive(const uint8_t *in, size_t length, uint8_t *out, size_t *out_length)
{
	size_t at = 0;

	*out_length = 0;
	while (at < length) {
		const uint8_t *lf = memchr(in + at, '\n', length - at);
		size_t n;

		if (lf == NULL || lf == in + at || lf[-1] != '\r')
			return -1;
		n = (size_t)(lf - in) - at + 1;
		if (memchr(in + at, '\r', n - 2) != NULL)
			return -1;
		if (n == 3 && in[at] == '.')
			return at + n == length ? 0 : -1;
		if (in[at] == '.') {
			at++;
			n--;
		}
		memcpy(out + *out_length, in + at, n);
		*out_length += n;
		at += n;
	}
	return -1;
}

/* All contents of up to seven octets of these, in all pieces. */
static void
test_exhaustive(void **unused)
{
	static const char alphabet[] = { '.', '\r', '\n', 'a' };
	uint8_t in[8], out[64], back[64], again[64];
	size_t back_length, n;

	(void)unused;
	for (size_t length = 0; length <= 7; length++)
		for (unsigned int word = 0; word < 1U << (2 * length); word++) {
			for (size_t i = 0; i < length; i++)
				in[i] = (uint8_t)alphabet[word >> (2 * i) & 3];
			n = stuff(in, length, length + 1, out);
			assert_int_equal(
			    receive(out, n, back, &back_length), 0);
			for (size_t step = 1; step <= length; step++) {
				assert_int_equal(
				    stuff(in, length, step, again), n);
				assert_memory_equal(again, out, n);
			}
		}
}

/* Content as we have it arrives as it was. */
static void
test_identity(void **unused)
{
	static const char content[] =
	    "Subject: x\r\n\r\n.\r\n..\r\n.a\r\na.\r\n\r\n.\r\n";
	uint8_t out[128], back[128];
	size_t n, length;

	(void)unused;
	n = stuff((const uint8_t *)content, sizeof(content) - 1, 1000, out);
	assert_int_equal(receive(out, n, back, &length), 0);
	assert_int_equal(length, sizeof(content) - 1);
	assert_memory_equal(back, content, length);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_exhaustive),
		cmocka_unit_test(test_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
