/* The header filter: each case is fed whole, octet by octet, and cut in two at
 * every place. */
#include "deliver/local/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct expected {
	const char *what;
	const char *in;
	const char *out;
	bool loop;
};

#define ADDRESS "alice@example.org"

static const struct expected cases[] = {
	{ "empty", "", "", false },
	{ "only a body", "\r\nx\r\n", "\nx\n", false },
	{ "line ends", "A: b\r\nC: d\r\n\r\nx\r\n\r\ny\r\n",
	    "A: b\nC: d\n\nx\n\ny\n", false },
	{ "no last line end", "A: b\r\n\r\nx", "A: b\n\nx", false },
	{ "no body", "A: b\r\n", "A: b\n", false },
	{ "ends in a name", "A: b\r\nRetu", "A: b\nRetu", false },
	{ "ends in a CR", "A: b\r\n\r\nx\r", "A: b\n\nx\r", false },
	{ "ends in a CR of the header", "A: b\r", "A: b\r", false },
	{ "lone CR and LF", "A: b\rc\nD: e\r\n\r\nx\ry\nz\r\r\n",
	    "A: b\rc\nD: e\n\nx\ry\nz\r\n", false },
	{ "LF ends the header too", "A: b\n\nReturn-Path: x\n",
	    "A: b\n\nReturn-Path: x\n", false },
	{ "Return-Path alone", "Return-Path: <x@y>\r\n\r\nb\r\n", "\nb\n",
	    false },
	{ "Return-Path amid others",
	    "A: b\r\nreturn-PATH:<x@y>\r\nC: d\r\n\r\n", "A: b\nC: d\n\n",
	    false },
	{ "Return-Path folded",
	    "Return-Path:\r\n <x@y>\r\n\t(z)\r\nC: d\r\n e\r\n\r\n",
	    "C: d\n e\n\n", false },
	{ "several of them",
	    "Return-Path: a\r\nReturn-Path: b\r\nX: y\r\nReturn-Path: c\r\n",
	    "X: y\n", false },
	{ "blanks before the colon", "Return-Path \t : a\r\nX: y\r\n", "X: y\n",
	    false },
	{ "CR within a dropped field", "Return-Path: a\rb\r\nX: y\r\n",
	    "X: y\n", false },
	{ "not quite the name",
	    "Return-Pat: a\r\nReturn-Paths: b\r\nX-Return-Path: c\r\n",
	    "Return-Pat: a\nReturn-Paths: b\nX-Return-Path: c\n", false },
	{ "not at the line's start", "X: y\r\n Return-Path: z\r\n",
	    "X: y\n Return-Path: z\n", false },
	{ "a folded line first", " Return-Path: z\r\nX: y\r\n",
	    " Return-Path: z\nX: y\n", false },
	{ "the body keeps its own", "X: y\r\n\r\nReturn-Path: z\r\n",
	    "X: y\n\nReturn-Path: z\n", false },
	{ "a line without a colon", "X: y\r\nReturn-Path\r\nA: b\r\n",
	    "X: y\nReturn-Path\nA: b\n", false },
	{ "a long name",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "456789: x\r\nReturn-Path: y\r\n",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "456789: x\n",
	    false },
	{ "a name of just the longest",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    ": x\r\n",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    ": x\n",
	    false },
	{ "dots are not ours to stuff", "X: y\r\n\r\n.\r\n..\r\n",
	    "X: y\n\n.\n..\n", false },
	{ "delivered here", "Delivered-To: " ADDRESS "\r\n\r\n",
	    "Delivered-To: " ADDRESS "\n\n", true },
	{ "delivered here, no body", "Delivered-To: " ADDRESS "\r\n",
	    "Delivered-To: " ADDRESS "\n", true },
	{ "delivered here, no line end", "Delivered-To: " ADDRESS,
	    "Delivered-To: " ADDRESS, true },
	{ "in other letters", "DELIVERED-TO :\tAlice@EXAMPLE.org \r\n\r\n",
	    "DELIVERED-TO :\tAlice@EXAMPLE.org \n\n", true },
	{ "folded", "Delivered-To:\r\n " ADDRESS "\r\nX: y\r\n\r\n",
	    "Delivered-To:\n " ADDRESS "\nX: y\n\n", true },
	{ "the second of two",
	    "Delivered-To: bob@x\r\nDelivered-To: " ADDRESS "\r\n\r\n",
	    "Delivered-To: bob@x\nDelivered-To: " ADDRESS "\n\n", true },
	{ "to somebody else", "Delivered-To: " ADDRESS ".uk\r\n\r\n",
	    "Delivered-To: " ADDRESS ".uk\n\n", false },
	{ "a longer value", "Delivered-To: " ADDRESS "\r\n x\r\n\r\n",
	    "Delivered-To: " ADDRESS "\n x\n\n", false },
	{ "in another field", "To: " ADDRESS "\r\n\r\n", "To: " ADDRESS "\n\n",
	    false },
	{ "in the body", "X: y\r\n\r\nDelivered-To: " ADDRESS "\r\n",
	    "X: y\n\nDelivered-To: " ADDRESS "\n", false },
	{ "an empty value", "Delivered-To:\r\n\r\n", "Delivered-To:\n\n",
	    false },
};

static uint64_t
bare_line_feeds(const uint8_t *out, size_t length)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < length; i++)
		if (out[i] == '\n' && (i == 0 || out[i - 1] != '\r'))
			lines++;
	return lines;
}

static void
check(const struct expected *e, const struct header *h, const uint8_t *out,
    size_t length)
{
	if (length != strlen(e->out) || memcmp(out, e->out, length) != 0)
		fail_msg("%s: got \"%.*s\"", e->what, (int)length,
		    (const char *)out);
	if (header_found_loop(h) != e->loop)
		fail_msg("%s: loop", e->what);
	assert_int_equal(h->lines, bare_line_feeds(out, length));
}

static void
test_cut_in_two(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *in = (const uint8_t *)cases[i].in;
		size_t size = strlen(cases[i].in);

		for (size_t cut = 0; cut <= size; cut++) {
			uint8_t out[1024];
			struct header h;
			size_t n;

			header_begin(&h, ADDRESS);
			n = header_feed(&h, in, cut, out);
			assert_true(n <= cut + HEADER_SLACK);
			n += header_feed(&h, in + cut, size - cut, out + n);
			n += header_finish(&h, out + n);
			check(&cases[i], &h, out, n);
		}
	}
}

static void
test_octet_by_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *in = cases[i].in;
		uint8_t out[1024];
		struct header h;
		size_t n = 0;

		header_begin(&h, ADDRESS);
		for (; *in != '\0'; in++)
			n += header_feed(&h, (const uint8_t *)in, 1, out + n);
		n += header_finish(&h, out + n);
		check(&cases[i], &h, out, n);
	}
}

/* A value longer than any address is no match, and nothing overflows. */
static void
test_long_value(void **state)
{
	static const char field[] = "Delivered-To:";
	static uint8_t in[8192], out[sizeof(in) + (size_t)2 * HEADER_SLACK];
	struct header h;
	size_t n;

	(void)state;
	memset(in, 'a', sizeof(in));
	memcpy(in, field, sizeof(field) - 1);
	header_begin(&h, ADDRESS);
	n = header_feed(&h, in, sizeof(in), out);
	n += header_finish(&h, out + n);
	assert_int_equal(n, sizeof(in));
	assert_memory_equal(in, out, n);
	assert_false(header_found_loop(&h));
}

/* NULs are octets like others, and hide nothing behind them. */
static void
test_nul(void **state)
{
	static const char in[] = "Delivered-To: " ADDRESS "\0x\r\n\r\na\0b\r\n";
	static const char want[] = "Delivered-To: " ADDRESS "\0x\n\na\0b\n";
	uint8_t out[256];
	struct header h;
	size_t n;

	(void)state;
	header_begin(&h, ADDRESS);
	n = header_feed(&h, (const uint8_t *)in, sizeof(in) - 1, out);
	n += header_finish(&h, out + n);
	assert_int_equal(n, sizeof(want) - 1);
	assert_memory_equal(out, want, n);
	assert_false(header_found_loop(&h));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_in_two),
		cmocka_unit_test(test_octet_by_octet),
		cmocka_unit_test(test_long_value),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
