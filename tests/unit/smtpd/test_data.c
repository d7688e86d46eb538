/* The DATA decoder: what it gives out, where it ends, what it refuses, and
 * that none of this depends on how the input is split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "smtpd/data.h"

#define LIMIT 1000

struct row {
	const char *name;
	const char *input;
	size_t length;
	const char *output; /* if it is good */
	enum data_refusal refusal;
	unsigned int rest; /* octets behind the end mark; or NO_END */
	unsigned int hops;
};

#define NO_END 999u
#define IN(text) text, sizeof(text) - 1
#define END "\r\n.\r\n"

static const struct row rows[] = {
	{ "empty", IN(".\r\n"), "", DATA_GOOD, 0, 0 },
	{ "one empty line", IN("\r\n.\r\n"), "\r\n", DATA_GOOD, 0, 0 },
	{ "plain", IN("a\r\nb" END), "a\r\nb\r\n", DATA_GOOD, 0, 0 },
	{ "pipelined", IN("a" END "QUIT\r\n"), "a\r\n", DATA_GOOD, 6, 0 },
	{ "stuffed dot", IN("..\r\n.\r\n"), ".\r\n", DATA_GOOD, 0, 0 },
	{ "stuffed dots", IN("...a\r\n..b" END), "..a\r\n.b\r\n", DATA_GOOD, 0,
	    0 },
	{ "dot and text", IN(".a" END), "a\r\n", DATA_GOOD, 0, 0 },
	{ "dot inside", IN("a.\r\n.b.\r\n.\r\n"), "a.\r\nb.\r\n", DATA_GOOD, 0,
	    0 },
	{ "no end", IN("a\r\n."), "", DATA_GOOD, NO_END, 0 },
	{ "no end, CR", IN("a\r\n.\r"), "", DATA_GOOD, NO_END, 0 },
	{ "8-bit", IN("\xc3\xa9" END), "\xc3\xa9\r\n", DATA_GOOD, 0, 0 },
	{ "tab and others", IN("\t\x01\x7f" END), "\t\x01\x7f\r\n", DATA_GOOD,
	    0, 0 },

	/* Every way to end the data that some server somewhere has taken. */
	{ "LF.LF", IN("a\n.\nQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "LF.CRLF", IN("a\n.\r\nQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "CRLF.LF", IN("a\r\n.\nQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "CR.CR", IN("a\r.\rQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "CR.CRLF", IN("a\r.\r\nQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "CR.LF", IN("a\r.\nQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "CRLF.CR", IN("a\r\n.\rQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "LF.CR", IN("a\n.\rQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "CRLF.CRCRLF", IN("a\r\n.\r\r\nQUIT" END), "", DATA_BARE_NEWLINE, 0,
	    0 },
	{ "CRCRLF.CRLF", IN("a\r\r\n.\r\nQUIT\r\n"), "", DATA_BARE_NEWLINE, 6,
	    0 },
	{ "CRCR.CRLF", IN("a\r\r.\r\nQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "LFCR.LFCR", IN("a\n\r.\n\rQUIT" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "CRLFNUL.CRLF", IN("a\r\n\0.\r\nQUIT" END), "", DATA_NUL, 0, 0 },
	{ "CRLF.NULCRLF", IN("a\r\n.\0\r\nQUIT" END), "", DATA_NUL, 0, 0 },
	{ "CRNULLF.CRLF", IN("a\r\0\n.\r\nQUIT" END), "", DATA_BARE_NEWLINE, 0,
	    0 },
	{ "CRLF.CRNULLF", IN("a\r\n.\r\0\nQUIT" END), "", DATA_BARE_NEWLINE, 0,
	    0 },
	{ "CRLF. CRLF", IN("a\r\n. \r\nQUIT" END), "a\r\n \r\nQUIT\r\n",
	    DATA_GOOD, 0, 0 },
	{ "CRLF .CRLF", IN("a\r\n .\r\nQUIT" END), "a\r\n .\r\nQUIT\r\n",
	    DATA_GOOD, 0, 0 },
	{ "CRLF..CRLF", IN("a\r\n..\r\nQUIT" END), "a\r\n.\r\nQUIT\r\n",
	    DATA_GOOD, 0, 0 },
	{ "VT and NEL", IN("a\x0b.\x0b\x85.\x85QUIT" END),
	    "a\x0b.\x0b\x85.\x85QUIT\r\n", DATA_GOOD, 0, 0 },
	{ "first octet LF", IN("\n.\r\n" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "first octets dot LF", IN(".\nQUIT" END), "", DATA_BARE_NEWLINE, 0,
	    0 },
	{ "first octets dot CR", IN(".\rQUIT" END), "", DATA_BARE_NEWLINE, 0,
	    0 },
	{ "last CR", IN("a\r" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "last LF", IN("a\n" END), "", DATA_BARE_NEWLINE, 0, 0 },
	{ "LF in the header", IN("Subject: a\nTo: b\r\n\r\nc" END), "",
	    DATA_BARE_NEWLINE, 0, 0 },

	/* Received fields */
	{ "hops", IN("Received: a\r\nRECEIVED: b\r\nreceived:c\r\n\r\nx" END),
	    "Received: a\r\nRECEIVED: b\r\nreceived:c\r\n\r\nx\r\n", DATA_GOOD,
	    0, 3 },
	{ "hops in the body", IN("Received: a\r\n\r\nReceived: b" END),
	    "Received: a\r\n\r\nReceived: b\r\n", DATA_GOOD, 0, 1 },
	{ "not hops",
	    IN("Receive: a\r\nX-Received: b\r\n Received: c\r\nReceivedx: d\r\n"
	       "Received : e" END),
	    "Receive: a\r\nX-Received: b\r\n Received: c\r\nReceivedx: d\r\n"
	    "Received : e\r\n",
	    DATA_GOOD, 0, 0 },
	{ "stuffed hop", IN(".Received: a" END), "Received: a\r\n", DATA_GOOD,
	    0, 1 },
};

struct output {
	uint8_t octets[2 * LIMIT];
	size_t length;
};

static int
keep(void *context, const uint8_t *data, size_t length)
{
	struct output *o = context;

	assert_true(length > 0);
	assert_true(o->length + length <= sizeof(o->octets));
	memcpy(o->octets + o->length, data, length);
	o->length += length;
	return 0;
}

/* Decodes in pieces of `step` octets; returns how many were consumed. */
static size_t
decode(struct data *d, const char *input, size_t length, size_t step,
    struct output *o)
{
	size_t at = 0;

	o->length = 0;
	data_start(d, LIMIT);
	while (at < length && d->state != DATA_END) {
		size_t piece = length - at < step ? length - at : step;
		/* Each piece alone, so that a read beyond it is seen. */
		uint8_t *copy = malloc(piece);
		size_t taken;

		assert_non_null(copy);
		memcpy(copy, input + at, piece);
		taken = data_decode(d, copy, piece, keep, o);
		free(copy);
		assert_true(taken == piece || d->state == DATA_END);
		at += taken;
	}
	return at;
}

static void
check_row(const struct row *row, size_t step)
{
	struct output o;
	struct data d;
	size_t taken = decode(&d, row->input, row->length, step, &o);

	if (row->rest == NO_END) {
		assert_int_not_equal(d.state, DATA_END);
		return;
	}
	if (d.state != DATA_END || taken != row->length - row->rest ||
	    d.refusal != row->refusal)
		print_error("row: %s, step %zu\n", row->name, step);
	assert_int_equal(d.state, DATA_END);
	assert_int_equal(taken, row->length - row->rest);
	assert_int_equal(d.refusal, row->refusal);
	assert_int_equal(d.hops, row->hops);
	if (row->refusal != DATA_GOOD)
		return;
	assert_int_equal(o.length, strlen(row->output));
	assert_memory_equal(o.octets, row->output, o.length);
	assert_int_equal(d.size, o.length);
}

static void
test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step <= rows[i].length; step++)
			check_row(&rows[i], step);
}

/* Every text of up to eight of these octets, beside a decoder that is written
 * as plainly as RFC 5321 4.5.2 says it: search for CRLF.CRLF, cut there. */
static size_t
plain_end(const char *text, size_t length)
{
	if (length >= 3 && memcmp(text, ".\r\n", 3) == 0)
		return 3;
	for (size_t i = 0; i + 5 <= length; i++)
		if (memcmp(text + i, "\r\n.\r\n", 5) == 0)
			return i + 5;
	return NO_END;
}

static bool
plain_bare(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			return true;
		if (text[i] == '\r' && (i + 1 == length || text[i + 1] != '\n'))
			return true;
	}
	return false;
}

static void
test_all_short_texts(void **unused)
{
	static const char alphabet[] = { '\r', '\n', '.', 'a' };
	char text[8];
	struct output o;
	struct data d;

	(void)unused;
	for (unsigned int number = 0; number < 1u << 16; number++) {
		size_t end, taken;

		for (unsigned int i = 0; i < sizeof(text); i++)
			text[i] = alphabet[number >> 2 * i & 3];
		end = plain_end(text, sizeof(text));
		taken = decode(&d, text, sizeof(text), 1 + number % 8, &o);
		assert_int_equal(d.state == DATA_END, end != NO_END);
		if (end == NO_END)
			continue;
		assert_int_equal(taken, end);
		assert_int_equal(
		    d.refusal == DATA_BARE_NEWLINE, plain_bare(text, end));
	}
}

static void
put_end(char *at)
{
	static const char end[] = { '\r', '\n', '.', '\r', '\n' };

	memcpy(at, end, sizeof(end));
}

static void
test_size(void **unused)
{
	char text[LIMIT + 8];
	struct output o;
	struct data d;

	(void)unused;
	memset(text, 'x', sizeof(text));
	put_end(text + LIMIT - 2);
	decode(&d, text, LIMIT + 3, 7, &o);
	assert_int_equal(d.state, DATA_END);
	assert_int_equal(d.refusal, DATA_GOOD);
	assert_int_equal(d.size, LIMIT);

	memset(text, 'x', sizeof(text));
	put_end(text + LIMIT - 1);
	decode(&d, text, LIMIT + 4, 7, &o);
	assert_int_equal(d.state, DATA_END);
	assert_int_equal(d.refusal, DATA_TOO_BIG);
	assert_true(o.length <= LIMIT);
}

static int
discard(void *context, const uint8_t *data, size_t length)
{
	(void)context;
	(void)data;
	(void)length;
	return 0;
}

static void
test_long_line(void **unused)
{
	static uint8_t text[LIMIT_TEXT_LINE];
	struct data d;

	(void)unused;
	memset(text, 'x', sizeof(text));
	data_start(&d, UINT64_MAX);
	data_decode(&d, text, LIMIT_TEXT_LINE - 2, discard, NULL);
	data_decode(&d, (const uint8_t *)END, 5, discard, NULL);
	assert_int_equal(d.refusal, DATA_GOOD);
	assert_int_equal(d.lines, 1);

	data_start(&d, UINT64_MAX);
	data_decode(&d, text, LIMIT_TEXT_LINE - 1, discard, NULL);
	data_decode(&d, (const uint8_t *)END, 5, discard, NULL);
	assert_int_equal(d.state, DATA_END);
	assert_int_equal(d.refusal, DATA_TOO_LONG_LINE);
}

static int
refuse(void *context, const uint8_t *data, size_t length)
{
	(void)data;
	(void)length;
	++*(int *)context;
	return -1;
}

/* A sink that has failed is not asked again, and the end is still found. */
static void
test_no_room(void **unused)
{
	struct data d;
	int calls = 0;

	(void)unused;
	data_start(&d, LIMIT);
	data_decode(&d, (const uint8_t *)"a\r\n", 3, refuse, &calls);
	data_decode(&d, (const uint8_t *)"..b\r\n", 5, refuse, &calls);
	data_decode(&d, (const uint8_t *)".\r\n", 3, refuse, &calls);
	assert_int_equal(d.state, DATA_END);
	assert_int_equal(d.refusal, DATA_NO_ROOM);
	assert_int_equal(calls, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_all_short_texts),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
