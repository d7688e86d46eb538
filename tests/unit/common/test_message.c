#include "common/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/common/unit.h"

static uint8_t record[LIMIT_RECORD];

/* Text of as many x as the table allows, or none. */
static const char *
text_of(size_t length)
{
	static char xs[LIMIT_RECORD + 1];

	memset(xs, 'x', LIMIT_RECORD);
	return xs + LIMIT_RECORD - length;
}

/* Every field of every type filled, from `seed` or to its end. */
#define U8(field) m->field = (uint8_t)(seed * 0x11);
#define U16(field) m->field = (uint16_t)(seed * 0x1111);
#define U32(field) m->field = (uint32_t)(seed * 0x11111111);
#define U64(field) m->field = seed * UINT64_C(0x1111111111111111);
#define TEXT(field, most) m->field = text_of(seed == 15 ? (most) : seed);
#define BYTES(field, most) \
	m->field = (struct bytes){ data, seed == 15 ? (most) : seed };
#define MESSAGE(type, member, from, to, fds, fields)                         \
	static void fill_##member(struct message_##member *m, uint64_t seed) \
	{                                                                    \
		static const uint8_t data[LIMIT_RECORD] = { 0, 1 };          \
		(void)data;                                                  \
		fields                                                       \
	}
#include "common/message.def"

#define U8(field) assert_int_equal(a->field, b->field);
#define U16(field) assert_int_equal(a->field, b->field);
#define U32(field) assert_int_equal(a->field, b->field);
#define U64(field) assert_true(a->field == b->field);
#define TEXT(field, most) assert_string_equal(a->field, b->field);
#define BYTES(field, most)                                  \
	assert_int_equal(a->field.length, b->field.length); \
	assert_memory_equal(a->field.data, b->field.data, a->field.length);
#define MESSAGE(type, member, from, to, fds, fields)                \
	static void same_##member(const struct message_##member *a, \
	    const struct message_##member *b)                       \
	{                                                           \
		fields                                              \
	}
#include "common/message.def"

static struct message
filled(enum message_type type, unsigned int seed)
{
	struct message m = MESSAGE_INIT(type, 0xfedcba98);

	if (message_type_fds(type) == 1)
		m.fd = 0;
	switch (type) {
#define MESSAGE(name, member, from, to, fds, fields) \
	case MESSAGE_##name:                         \
		fill_##member(&m.member, seed);      \
		break;
#include "common/message.def"
	case MESSAGE_NONE:
	case MESSAGE_TYPES:
		break;
	}
	return m;
}

static void
assert_same(const struct message *a, const struct message *b)
{
	assert_int_equal(a->type, b->type);
	assert_true(a->handle == b->handle);
	switch (a->type) {
#define MESSAGE(name, member, from, to, fds, fields)   \
	case MESSAGE_##name:                           \
		same_##member(&a->member, &b->member); \
		break;
#include "common/message.def"
	case MESSAGE_NONE:
	case MESSAGE_TYPES:
		break;
	}
}

/* A declaration. NOLINTBEGIN(bugprone-macro-parentheses) */
#define EACH_TYPE(type)                                                       \
	for (enum message_type type = MESSAGE_NONE + 1; type < MESSAGE_TYPES; \
	     type++)
/* NOLINTEND(bugprone-macro-parentheses) */

static void
every_type_survives_the_wire(void **state)
{
	(void)state;
	EACH_TYPE(type)
	for (unsigned int seed = 0; seed <= 15; seed++) {
		struct message sent = filled(type, seed), got;
		ssize_t length = message_encode(&sent, record, sizeof(record));

		assert_true(length > 0);
		assert_true((size_t)length <= message_type_size(type));
		assert_int_equal(message_decode(&got, record, (size_t)length,
				     message_type_fds(type)),
		    0);
		assert_same(&sent, &got);
		assert_int_equal(got.fd, -1);
	}
}

/* The greatest of each type is as long as the table says. */
static void
sizes_are_exact(void **state)
{
	(void)state;
	EACH_TYPE(type)
	{
		struct message m = filled(type, 15);

		assert_int_equal(message_encode(&m, record, sizeof(record)),
		    message_type_size(type));
		assert_int_equal(
		    message_encode(&m, record, message_type_size(type) - 1),
		    -1);
		assert_int_equal(errno, EMSGSIZE);
	}
}

static void
every_truncation_is_refused(void **state)
{
	(void)state;
	EACH_TYPE(type)
	{
		struct message m = filled(type, 3), got;
		ssize_t whole = message_encode(&m, record, sizeof(record));

		assert_true(whole > 0);
		for (size_t length = 0; length < (size_t)whole; length++) {
			/* An exact allocation lets the sanitizer see a read
			 * behind its end. */
			uint8_t *cut = malloc(length > 0 ? length : 1);

			assert_non_null(cut);
			memcpy(cut, record, length);
			errno = 0;
			assert_int_equal(message_decode(&got, cut, length,
					     message_type_fds(type)),
			    -1);
			assert_int_equal(errno, EPROTO);
			free(cut);
		}
	}
}

static void
one_octet_too_many_is_refused(void **state)
{
	(void)state;
	EACH_TYPE(type)
	{
		struct message m = filled(type, 3), got;
		ssize_t length = message_encode(&m, record, sizeof(record));

		assert_true(length > 0);
		record[length] = 0;
		assert_int_equal(
		    message_decode(&got, record, (size_t)length + 1,
			message_type_fds(type)),
		    -1);
	}
}

static void
a_wrong_number_of_descriptors_is_refused(void **state)
{
	(void)state;
	EACH_TYPE(type)
	{
		struct message m = filled(type, 3), got;
		ssize_t length = message_encode(&m, record, sizeof(record));

		assert_true(length > 0);
		for (unsigned int fds = 0; fds <= 2; fds++)
			assert_int_equal(
			    message_decode(&got, record, (size_t)length, fds),
			    fds == message_type_fds(type) ? 0 : -1);
		m.fd = m.fd == -1 ? 0 : -1;
		errno = 0;
		assert_int_equal(
		    message_encode(&m, record, sizeof(record)), -1);
		assert_int_equal(errno, EINVAL);
	}
}

static void
unknown_types_are_refused(void **state)
{
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0), got;

	(void)state;
	assert_int_equal(message_encode(&m, record, sizeof(record)), -1);
	m.type = MESSAGE_TYPES;
	assert_int_equal(message_encode(&m, record, sizeof(record)), -1);
	for (unsigned int type = 0; type <= UINT16_MAX; type++) {
		if (type > MESSAGE_NONE && type < MESSAGE_TYPES)
			continue;
		memset(record, 0, 6);
		record[0] = (uint8_t)type;
		record[1] = (uint8_t)(type >> 8);
		assert_int_equal(message_decode(&got, record, 6, 0), -1);
	}
}

static void
a_nul_in_a_text_is_refused(void **state)
{
	struct message m = MESSAGE_INIT(MESSAGE_HIRE, 1), got;
	ssize_t length;

	(void)state;
	m.hire.user = "alice";
	length = message_encode(&m, record, sizeof(record));
	assert_int_equal(length, 6 + 2 + 5 + 1);
	assert_int_equal(message_decode(&got, record, (size_t)length, 0), 0);
	for (size_t at = 8; at < 13; at++) {
		uint8_t kept = record[at];

		record[at] = 0;
		assert_int_equal(
		    message_decode(&got, record, (size_t)length, 0), -1);
		record[at] = kept;
	}
	record[13] = 'x';
	assert_int_equal(message_decode(&got, record, (size_t)length, 0), -1);
}

static void
too_long_a_text_is_refused(void **state)
{
	struct message m = MESSAGE_INIT(MESSAGE_HIRE, 1), got;
	struct wire_writer w = { .data = record, .size = sizeof(record) };

	(void)state;
	m.hire.user = text_of(LIMIT_USER + 1);
	assert_int_equal(message_encode(&m, record, sizeof(record)), -1);
	assert_int_equal(errno, EMSGSIZE);

	wire_put_u16(&w, MESSAGE_HIRE);
	wire_put_u32(&w, 1);
	wire_put_text(&w, text_of(LIMIT_USER + 1), LIMIT_RECORD);
	assert_int_equal(message_decode(&got, record, w.length, 0), -1);
}

/* A NULL text is the empty text: a zeroed message can be sent. */
static void
an_empty_message_can_be_sent(void **state)
{
	(void)state;
	EACH_TYPE(type)
	{
		struct message m = MESSAGE_INIT(type, 0), got;
		ssize_t length;

		if (message_type_fds(type) == 1)
			m.fd = 0;
		length = message_encode(&m, record, sizeof(record));
		assert_true(length > 0);
		assert_int_equal(message_decode(&got, record, (size_t)length,
				     message_type_fds(type)),
		    0);
	}
}

static void
only_the_table_says_who_may_speak(void **state)
{
	static const struct {
		enum message_type type;
		enum program from, to;
		bool allowed;
	} rows[] = {
		{ MESSAGE_OPEN, PROGRAM_SMTPD, PROGRAM_ROUTER, true },
		{ MESSAGE_OPEN, PROGRAM_ROUTER, PROGRAM_SMTPD, false },
		{ MESSAGE_OPEN, PROGRAM_SMTPD, PROGRAM_QUEUE, false },
		{ MESSAGE_ENVELOPE, PROGRAM_ROUTER, PROGRAM_QUEUE, true },
		{ MESSAGE_ENVELOPE, PROGRAM_SMTPD, PROGRAM_QUEUE, false },
		{ MESSAGE_HIRE, PROGRAM_QUEUE, PROGRAM_SPAWN, true },
		{ MESSAGE_HIRE, PROGRAM_SMTPD, PROGRAM_SPAWN, false },
		{ MESSAGE_HIRE, PROGRAM_REMOTE, PROGRAM_SPAWN, false },
		{ MESSAGE_KILL, PROGRAM_SPAWN, PROGRAM_QUEUE, false },
		{ MESSAGE_REPORT, PROGRAM_LOCAL, PROGRAM_QUEUE, true },
		{ MESSAGE_REPORT, PROGRAM_REMOTE, PROGRAM_QUEUE, true },
		{ MESSAGE_REPORT, PROGRAM_SPAWN, PROGRAM_QUEUE, false },
		{ MESSAGE_ANSWER, PROGRAM_RESOLVER, PROGRAM_SMTPD, true },
		{ MESSAGE_ANSWER, PROGRAM_SMTPD, PROGRAM_RESOLVER, false },
		{ MESSAGE_START, PROGRAM_SUPERVISOR, PROGRAM_SMTPD, true },
		{ MESSAGE_START, PROGRAM_SMTPD, PROGRAM_SUPERVISOR, false },
		{ MESSAGE_START, PROGRAM_SUPERVISOR, PROGRAM_LOCAL, false },
		{ MESSAGE_READY, PROGRAM_QUEUE, PROGRAM_SUPERVISOR, true },
		{ MESSAGE_CTL_ACT, PROGRAM_CTL, PROGRAM_QUEUE, true },
		{ MESSAGE_CTL_ACT, PROGRAM_SMTPD, PROGRAM_QUEUE, false },
		{ MESSAGE_CTL_RELOAD, PROGRAM_CTL, PROGRAM_QUEUE, false },
		{ MESSAGE_NONE, PROGRAM_CTL, PROGRAM_QUEUE, false },
		{ MESSAGE_TYPES, PROGRAM_CTL, PROGRAM_QUEUE, false },
		{ (enum message_type)60000, PROGRAM_CTL, PROGRAM_QUEUE, false },
		{ MESSAGE_OPEN, PROGRAM_NONE, PROGRAM_ROUTER, false },
		{ MESSAGE_OPEN, PROGRAM_SMTPD, PROGRAM_NONE, false },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (message_is_allowed(rows[i].type, rows[i].from,
			rows[i].to) != rows[i].allowed)
			fail_msg("row %zu", i);
}

/* Nobody may send a type that nobody may receive, and the other way round;
 * a program never sends to itself. */
static void
the_table_is_sane(void **state)
{
	(void)state;
	EACH_TYPE(type)
	{
		unsigned int ways = 0;

		for (unsigned int from = 1; from <= PROGRAM_CTL; from <<= 1)
			for (unsigned int to = 1; to <= PROGRAM_CTL; to <<= 1)
				if (message_is_allowed(type, (enum program)from,
					(enum program)to)) {
					assert_int_not_equal(from, to);
					ways++;
				}
		assert_true(ways > 0);
		assert_string_not_equal(message_type_name(type), "UNKNOWN");
	}
	assert_string_equal(message_type_name(MESSAGE_NONE), "UNKNOWN");
	assert_int_equal(message_type_size(MESSAGE_TYPES), 0);
	assert_int_equal(message_type_fds((enum message_type)60000), 0);
}

static void
a_descriptor_is_taken_once(void **state)
{
	struct message m = MESSAGE_INIT(MESSAGE_WORKER, 1);

	(void)state;
	m.fd = 7;
	assert_int_equal(message_take_fd(&m), 7);
	assert_int_equal(message_take_fd(&m), -1);
}

static void
messages_print_on_one_line(void **state)
{
	(void)state;
	EACH_TYPE(type)
	for (unsigned int seed = 0; seed <= 15; seed += 5) {
		struct message m = filled(type, seed);
		char *text = NULL;
		size_t length = 0;
		FILE *out = open_memstream(&text, &length);

		assert_non_null(out);
		message_print(&m, out);
		fclose(out);
		assert_ptr_equal(strchr(text, '\n'), text + length - 1);
		assert_ptr_equal(strstr(text, message_type_name(type)), text);
		free(text);
	}
}

static void
printed_texts_are_harmless(void **state)
{
	struct message m = MESSAGE_INIT(MESSAGE_HIRE, 9);
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_non_null(out);
	m.hire.user = "a\"\n\x1b[0m";
	message_print(&m, out);
	fclose(out);
	assert_string_equal(
	    text, "HIRE handle=9 user=\"a\\x22\\x0a\\x1b[0m\"\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_survives_the_wire),
		cmocka_unit_test(sizes_are_exact),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(one_octet_too_many_is_refused),
		cmocka_unit_test(a_wrong_number_of_descriptors_is_refused),
		cmocka_unit_test(unknown_types_are_refused),
		cmocka_unit_test(a_nul_in_a_text_is_refused),
		cmocka_unit_test(too_long_a_text_is_refused),
		cmocka_unit_test(an_empty_message_can_be_sent),
		cmocka_unit_test(only_the_table_says_who_may_speak),
		cmocka_unit_test(the_table_is_sane),
		cmocka_unit_test(a_descriptor_is_taken_once),
		cmocka_unit_test(messages_print_on_one_line),
		cmocka_unit_test(printed_texts_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
