/* The DNS answer reader. */
#include "test.h"

#include "resolver/packet.h"

/* -- a DNS message, piece by piece ---------------------------------------- */

#define NAME_HERE "\xc0\x0c" /* a pointer to the name in the question */

struct build {
	uint8_t data[65536];
	size_t length;
};

static void
put(struct build *b, const void *data, size_t length)
{
	memcpy(b->data + b->length, data, length);
	b->length += length;
}

#define PUT(b, literal) put((b), (literal), sizeof(literal) - 1)

static void
put_u16(struct build *b, unsigned int value)
{
	uint8_t octets[] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(b, octets, 2);
}

/* The header, and a question for x.test. */
static void
start(struct build *b, unsigned int rcode, unsigned int answers)
{
	b->length = 0;
	put_u16(b, 0);
	put_u16(b, 0x8180 | rcode);
	put_u16(b, 1);
	put_u16(b, answers);
	put_u16(b, 0);
	put_u16(b, 0);
	PUT(b, "\1x\4test\0");
	put_u16(b, 15);
	put_u16(b, 1);
}

static void
record(struct build *b, unsigned int type, unsigned int class, uint32_t ttl,
    const void *data, size_t length)
{
	PUT(b, NAME_HERE);
	put_u16(b, type);
	put_u16(b, class);
	put_u16(b, ttl >> 16);
	put_u16(b, ttl & 0xffff);
	put_u16(b, (unsigned int)length);
	put(b, data, length);
}

#define RECORD(b, type, ttl, literal) \
	record((b), (type), 1, (ttl), (literal), sizeof(literal) - 1)

/* Reads from a piece of memory of its own, so that a sanitizer sees any step
 * outside. */
static int
read_message(const struct build *b, size_t length, enum dns_kind kind,
    struct wire_writer *w, struct packet_answer *answer)
{
	uint8_t *copy = malloc(length + 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, b->data, length);
	w->length = 0;
	w->failed = false;
	result = packet_read(copy, length, kind, w, answer);
	free(copy);
	return result;
}

static uint8_t space[LIMIT_DNS_RECORDS];
static struct wire_writer writer = { .data = space, .size = sizeof(space) };
static struct build message;

/* The records as "10 mx.test, 20 mx2.test". */
static const char *
listing(enum dns_kind kind)
{
	static char text[LIMIT_DNS_RECORDS * 2];
	struct wire_reader r = { .data = writer.data, .size = writer.length };
	struct dns_record out;
	size_t n = 0;
	int got;

	text[0] = '\0';
	while ((got = dns_record_get(&r, kind, &out)) == 1)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    kind == DNS_MX ? "%s%u %s" : "%s%u%s", n > 0 ? ", " : "",
		    kind == DNS_A ? out.address[3] : out.preference, out.name);
	assert_int_equal(got, 0);
	return text;
}

static void
test_mx(void **unused)
{
	struct packet_answer a;

	(void)unused;
	start(&message, 0, 3);
	RECORD(&message, 15, 300, "\0\12\1a" NAME_HERE);
	RECORD(&message, 15, 200, "\0\24\1B\5OTHER\3org\0");
	RECORD(&message, 15, 400, "\xff\xff" NAME_HERE);
	assert_int_equal(
	    read_message(&message, message.length, DNS_MX, &writer, &a), 0);
	assert_int_equal(a.rcode, 0);
	assert_int_equal(a.records, 3);
	assert_int_equal(a.left_out, 0);
	assert_int_equal(a.ttl, 200);
	assert_string_equal(
	    listing(DNS_MX), "10 a.x.test, 20 b.other.org, 65535 x.test");
}

static void
test_null_mx(void **unused)
{
	struct packet_answer a;

	(void)unused;
	start(&message, 0, 1);
	RECORD(&message, 15, 300, "\0\0\0");
	assert_int_equal(
	    read_message(&message, message.length, DNS_MX, &writer, &a), 0);
	assert_int_equal(a.records, 1);
	assert_string_equal(listing(DNS_MX), "0 ");
}

/* CNAMEs lead to the answer and bound its TTL; other types are passed by. */
static void
test_addresses(void **unused)
{
	struct packet_answer a;

	(void)unused;
	start(&message, 0, 4);
	RECORD(&message, 5, 60, "\1y" NAME_HERE);
	RECORD(&message, 1, 300, "\xc0\0\2\7");
	RECORD(&message, 46, 300, "whatever");
	RECORD(&message, 1, 300, "\xc0\0\2\10");
	assert_int_equal(
	    read_message(&message, message.length, DNS_A, &writer, &a), 0);
	assert_int_equal(a.records, 2);
	assert_int_equal(a.ttl, 60);
	assert_string_equal(listing(DNS_A), "7, 8");
	assert_int_equal(
	    read_message(&message, message.length, DNS_AAAA, &writer, &a), 0);
	assert_int_equal(a.records, 0);
	start(&message, 0, 1);
	RECORD(&message, 28, 300, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	assert_int_equal(
	    read_message(&message, message.length, DNS_AAAA, &writer, &a), 0);
	assert_int_equal(a.records, 1);
}

static void
test_ptr(void **unused)
{
	struct packet_answer a;

	(void)unused;
	start(&message, 0, 2);
	RECORD(&message, 12, 300, "\4mail" NAME_HERE);
	RECORD(&message, 12, 300, "\0"); /* the root is no host */
	assert_int_equal(
	    read_message(&message, message.length, DNS_PTR, &writer, &a), 0);
	assert_int_equal(a.records, 2);
	assert_int_equal(a.left_out, 1);
	assert_string_equal(listing(DNS_PTR), "0mail.x.test");
}

static void
test_rcodes(void **unused)
{
	struct packet_answer a;

	(void)unused;
	for (unsigned int rcode = 0; rcode < 16; rcode++) {
		start(&message, rcode, 0);
		assert_int_equal(
		    read_message(&message, message.length, DNS_MX, &writer, &a),
		    0);
		assert_int_equal(a.rcode, rcode);
		assert_int_equal(a.records, 0);
		assert_int_equal(a.ttl, 0);
	}
}

/* Names that are well formed in the DNS, but that no host can have: the
 * record is left out, the others stay. */
static void
test_odd_names(void **unused)
{
	static const struct {
		const char *name;
		size_t length;
	} odd[] = {
#define ODD(literal) { literal, sizeof(literal) - 1 }
		ODD("\0\12\3a.b\4test\0"),
		ODD("\0\12\3a b\4test\0"),
		ODD("\0\12\3a\0b\4test\0"),
		ODD("\0\12\3a\nb\4test\0"),
		ODD("\0\12\3a\xe9"
		    "b\4test\0"),
		ODD("\0\12\4a\\03\4test\0"),
		ODD("\0\12\3a@b\4test\0"),
		ODD("\0\12\2-a\4test\0"),
	};
	struct packet_answer a;

	(void)unused;
	for (size_t i = 0; i < LENGTH(odd); i++) {
		start(&message, 0, 2);
		record(&message, 15, 1, 300, odd[i].name, odd[i].length);
		RECORD(&message, 15, 300, "\0\24" NAME_HERE);
		assert_int_equal(
		    read_message(&message, message.length, DNS_MX, &writer, &a),
		    0);
		assert_int_equal(a.records, 2);
		assert_int_equal(a.left_out, 1);
		assert_string_equal(listing(DNS_MX), "20 x.test");
	}
}

/* 4 labels of 63 octets are longer than a name may be. */
static void
test_long_name(void **unused)
{
	struct packet_answer a;
	uint8_t data[2 + 4 * 64 + 1] = { 0, 10 };

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		data[2 + 64 * i] = 63;
		memset(data + 3 + 64 * i, 'a', 63);
	}
	start(&message, 0, 1);
	record(&message, 15, 1, 300, data, sizeof(data));
	assert_int_equal(
	    read_message(&message, message.length, DNS_MX, &writer, &a), 0);
	assert_int_equal(a.records, 1);
	assert_int_equal(a.left_out, 1);
}

static void
test_broken(void **unused)
{
	static const struct {
		unsigned int type;
		const char *data;
		size_t length;
	} rows[] = {
#define ROW(type, literal) { type, literal, sizeof(literal) - 1 }
		ROW(15, ""),
		ROW(15, "\0"),
		ROW(15, "\0\12"),
		ROW(15, "\0\12\1"),
		ROW(15, "\0\12\1a"),
		ROW(15, "\0\12\xc0"),
		ROW(15, "\0\12\xc0\x0c\0"), /* more than the name */
		ROW(15, "\0\12\1a\0\0"),    /* likewise */
		ROW(15, "\0\12\x41\1\0"),   /* reserved label types */
		ROW(15, "\0\12\x80\1\0"),
		ROW(15, "\0\12\xff\xff"),    /* beyond the message */
		ROW(15, "\0\12\xc0\x26"),    /* to itself */
		ROW(15, "\0\12\1a\xc0\x26"), /* round and round */
		ROW(1, "\1\2\3"),
		ROW(1, "\1\2\3\4\5"),
		ROW(28, "\1\2\3\4"),
		ROW(12, ""),
	};
	struct packet_answer a;

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		enum dns_kind kind = rows[i].type == 15	  ? DNS_MX
				     : rows[i].type == 1  ? DNS_A
				     : rows[i].type == 28 ? DNS_AAAA
							  : DNS_PTR;

		start(&message, 0, 1);
		record(&message, rows[i].type, 1, 300, rows[i].data,
		    rows[i].length);
		if (read_message(&message, message.length, kind, &writer, &a) !=
		    -1)
			fail_msg("row %zu was read", i);
	}
}

/* Every way to cut a good message is refused; octets behind the answer section
 * are not ours to judge. */
static void
test_cut(void **unused)
{
	struct packet_answer a;

	(void)unused;
	start(&message, 0, 2);
	RECORD(&message, 15, 300, "\0\12\1a" NAME_HERE);
	RECORD(&message, 15, 300, "\0\24\1b\5other\3org\0");
	for (size_t n = 0; n < message.length; n++)
		assert_int_equal(
		    read_message(&message, n, DNS_MX, &writer, &a), -1);
	PUT(&message, "rest");
	assert_int_equal(
	    read_message(&message, message.length, DNS_MX, &writer, &a), 0);
}

/* Other classes are not the internet; a TTL with the top bit is none. */
static void
test_class_and_ttl(void **unused)
{
	struct packet_answer a;

	(void)unused;
	start(&message, 0, 2);
	record(&message, 15, 3, 1, "\0\12" NAME_HERE, 4);
	RECORD(&message, 15, 0x80000001U, "\0\24" NAME_HERE);
	assert_int_equal(
	    read_message(&message, message.length, DNS_MX, &writer, &a), 0);
	assert_int_equal(a.records, 1);
	assert_int_equal(a.ttl, 0);
}

/* More records than fit an ANSWER: the first ones count. */
static void
test_full(void **unused)
{
	struct packet_answer a;

	(void)unused;
	start(&message, 0, 3000);
	for (unsigned int i = 0; i < 3000; i++)
		RECORD(&message, 15, 300, "\0\12" NAME_HERE);
	assert_int_equal(
	    read_message(&message, message.length, DNS_MX, &writer, &a), 0);
	assert_int_equal(a.records, 3000);
	assert_true(a.left_out > 0);
	assert_true(writer.length <= LIMIT_DNS_RECORDS);
	assert_true(writer.length > LIMIT_DNS_RECORDS - 16);
	assert_false(writer.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mx),
		cmocka_unit_test(test_null_mx),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ptr),
		cmocka_unit_test(test_rcodes),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_class_and_ttl),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
