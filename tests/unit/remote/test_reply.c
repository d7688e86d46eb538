/* The reader of replies: each form, in one piece and octet by octet. */
#include "test.h"

#include "deliver/remote/reply.h"

struct row {
	const char *wire;
	size_t length; /* 0: that of the string */
	enum reply_status status;
	unsigned int code;
	const char *text;
};

#define GOOD(wire, code, text)                      \
	{                                           \
		wire, 0, REPLY_COMPLETE, code, text \
	}
#define BAD(wire)                                          \
	{                                                  \
		wire, sizeof(wire) - 1, REPLY_BAD, 0, NULL \
	}
#define MORE(wire)                                          \
	{                                                   \
		wire, sizeof(wire) - 1, REPLY_MORE, 0, NULL \
	}

static const struct row rows[] = {
	GOOD("250 ok\r\n", 250, "250 ok"),
	GOOD("250 ok\n", 250, "250 ok"),
	GOOD("250\r\n", 250, "250"),
	GOOD("250 \r\n", 250, "250 "),
	GOOD("250-a\r\n250 b\r\n", 250, "250-a\r\n250 b"),
	GOOD("250-a\n250-\r\n250\r\n", 250, "250-a\r\n250-\r\n250"),
	GOOD("599 x\r\n", 599, "599 x"),
	GOOD("299 x\r\n", 299, "299 x"),
	GOOD("354 caf\xc3\xa9\r\n", 354, "354 caf\xc3\xa9"),
	GOOD("550 tab\there\r\n", 550, "550 tab\there"),
	MORE(""),
	MORE("250"),
	MORE("250 ok\r"),
	MORE("250-ok\r\n"),
	BAD("\r\n"),
	BAD("\n"),
	BAD("25\r\n"),
	BAD("2500\r\n"),
	BAD("250ok\r\n"),
	BAD("250\tok\r\n"),
	BAD("150 x\r\n"),
	BAD("600 x\r\n"),
	BAD("000 x\r\n"),
	BAD("2x0 x\r\n"),
	BAD("25\xb2 x\r\n"),
	BAD(" 250 x\r\n"),
	BAD("-250 x\r\n"),
	BAD("250 a\0b\r\n"),
	BAD("2\0000 a\r\n"),
	BAD("250 a\rb\r\n"),
	BAD("250 a\r\r\n"),
	BAD("250-a\r\n251 b\r\n"),
	BAD("250-a\r\n550 b\r\n"),
	BAD("250-a\r\n\r\n"),
	BAD("250-a\r\nb\r\n"),
	BAD("HTTP/1.1 400 Bad Request\r\n"),
};

static enum reply_status
feed_all(struct reply *r, const char *wire, size_t length, size_t step)
{
	enum reply_status status = REPLY_MORE;
	size_t at = 0, used;

	while (status == REPLY_MORE && at < length) {
		size_t n = length - at < step ? length - at : step;

		status = reply_feed(r, wire + at, n, &used);
		assert_true(used <= n);
		at += used;
	}
	if (status == REPLY_COMPLETE)
		assert_int_equal(at, length);
	return status;
}

static void
test_rows(void **unused)
{
	static struct reply r;

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct row *row = &rows[i];
		size_t length =
		    row->length > 0 ? row->length : strlen(row->wire);

		for (size_t step = 1; step <= length + 1; step++) {
			memset(&r, 0, sizeof(r));
			assert_int_equal(
			    feed_all(&r, row->wire, length, step), row->status);
			if (row->status != REPLY_COMPLETE)
				continue;
			assert_int_equal(r.code, row->code);
			assert_string_equal(r.text, row->text);
		}
	}
}

/* What follows a reply is not taken with it. */
static void
test_sequence(void **unused)
{
	static const char wire[] = "250-a\r\n250 b\r\n354 go\r\n5";
	static struct reply r;
	size_t at = 0, used;

	(void)unused;
	memset(&r, 0, sizeof(r));
	assert_int_equal(
	    reply_feed(&r, wire, sizeof(wire) - 1, &used), REPLY_COMPLETE);
	assert_int_equal(used, 14);
	assert_string_equal(r.text, "250-a\r\n250 b");
	at += used;
	assert_int_equal(
	    reply_feed(&r, wire + at, sizeof(wire) - 1 - at, &used),
	    REPLY_COMPLETE);
	assert_int_equal(used, 8);
	assert_int_equal(r.code, 354);
	assert_string_equal(r.text, "354 go");
	at += used;
	assert_int_equal(
	    reply_feed(&r, wire + at, sizeof(wire) - 1 - at, &used),
	    REPLY_MORE);
	assert_int_equal(used, 1);
}

/* A reply of exactly the greatest length passes, one octet more does not. */
static void
test_bound(void **unused)
{
	static struct reply r;
	static const char start[] = "250 ";
	static char wire[LIMIT_REMOTE_REPLY + 8];
	size_t used;

	(void)unused;
	for (size_t length = LIMIT_REMOTE_REPLY - 2;
	     length < LIMIT_REMOTE_REPLY + 4; length++) {
		bool fits = length <= LIMIT_REMOTE_REPLY;

		memset(wire, 'x', sizeof(wire));
		memcpy(wire, start, sizeof(start) - 1);
		wire[length - 1] = '\n';
		memset(&r, 0, sizeof(r));
		assert_int_equal(reply_feed(&r, wire, length, &used),
		    fits ? REPLY_COMPLETE : REPLY_BAD);
	}
}

/* Lines without end, each of them legal. */
static void
test_endless(void **unused)
{
	static struct reply r;
	enum reply_status status = REPLY_MORE;
	size_t used, lines = 0;

	(void)unused;
	memset(&r, 0, sizeof(r));
	while (status == REPLY_MORE && lines < LIMIT_REMOTE_REPLY) {
		status = reply_feed(&r, "250-\r\n", 6, &used);
		lines++;
	}
	assert_int_equal(status, REPLY_BAD);
	assert_true(lines <= LIMIT_REMOTE_REPLY / 6 + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
