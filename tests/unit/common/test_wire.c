#include "common/wire.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/common/unit.h"

static uint8_t buffer[70000];

static struct wire_writer
writer(size_t size)
{
	return (struct wire_writer){ .data = buffer, .size = size };
}

static struct wire_reader
reader(size_t size)
{
	return (struct wire_reader){ .data = buffer, .size = size };
}

static void
integers_are_little_endian(void **state)
{
	static const uint8_t expected[] = { 0x01, 0x03, 0x02, 0x07, 0x06, 0x05,
		0x04, 0x0f, 0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08 };
	struct wire_writer w = writer(sizeof(buffer));
	struct wire_reader r;

	(void)state;
	wire_put_u8(&w, 0x01);
	wire_put_u16(&w, 0x0203);
	wire_put_u32(&w, 0x04050607);
	wire_put_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
	assert_false(w.failed);
	assert_int_equal(w.length, sizeof(expected));
	assert_memory_equal(buffer, expected, sizeof(expected));

	r = reader(w.length);
	assert_int_equal(wire_get_u8(&r), 0x01);
	assert_int_equal(wire_get_u16(&r), 0x0203);
	assert_int_equal(wire_get_u32(&r), 0x04050607);
	assert_false(wire_done(&r));
	assert_true(wire_get_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(wire_done(&r));
}

static void
greatest_values_survive(void **state)
{
	struct wire_writer w = writer(sizeof(buffer));
	struct wire_reader r;

	(void)state;
	wire_put_u8(&w, UINT8_MAX);
	wire_put_u16(&w, UINT16_MAX);
	wire_put_u32(&w, UINT32_MAX);
	wire_put_u64(&w, UINT64_MAX);
	r = reader(w.length);
	assert_int_equal(wire_get_u8(&r), UINT8_MAX);
	assert_int_equal(wire_get_u16(&r), UINT16_MAX);
	assert_true(wire_get_u32(&r) == UINT32_MAX);
	assert_true(wire_get_u64(&r) == UINT64_MAX);
	assert_true(wire_done(&r));
}

static void
texts_carry_length_and_nul(void **state)
{
	static const uint8_t expected[] = { 2, 0, 'a', 'b', 0, 0, 0, 0 };
	struct wire_writer w = writer(sizeof(buffer));
	struct wire_reader r;

	(void)state;
	wire_put_text(&w, "ab", 2);
	wire_put_text(&w, NULL, 0);
	assert_false(w.failed);
	assert_int_equal(w.length, sizeof(expected));
	assert_memory_equal(buffer, expected, sizeof(expected));
	r = reader(w.length);
	assert_string_equal(wire_get_text(&r, 2), "ab");
	assert_string_equal(wire_get_text(&r, 0), "");
	assert_true(wire_done(&r));
}

static void
texts_have_a_greatest_length(void **state)
{
	struct wire_writer w = writer(sizeof(buffer));
	struct wire_reader r;

	(void)state;
	wire_put_text(&w, "abc", 2);
	assert_true(w.failed);
	assert_int_equal(w.length, 0);

	w = writer(sizeof(buffer));
	wire_put_text(&w, "abc", 3);
	r = reader(w.length);
	assert_string_equal(wire_get_text(&r, 2), "");
	assert_true(r.failed);
}

/* A length of 16 bits cannot say more, whatever the table allows. */
static void
lengths_above_16_bits_fail(void **state)
{
	char *text = malloc(UINT16_MAX + 2);
	struct wire_writer w = writer(sizeof(buffer));

	(void)state;
	assert_non_null(text);
	memset(text, 'x', UINT16_MAX + 1);
	text[UINT16_MAX + 1] = '\0';
	wire_put_text(&w, text, SIZE_MAX);
	assert_true(w.failed);

	w = writer(sizeof(buffer));
	wire_put_bytes(&w,
	    (struct bytes){ (const uint8_t *)text, UINT16_MAX + 1 }, SIZE_MAX);
	assert_true(w.failed);

	text[UINT16_MAX] = '\0';
	w = writer(sizeof(buffer));
	wire_put_text(&w, text, SIZE_MAX);
	assert_false(w.failed);
	assert_int_equal(w.length, UINT16_MAX + 3);
	free(text);
}

static void
a_nul_inside_a_text_fails(void **state)
{
	static const struct {
		uint8_t octets[8];
		size_t size;
	} bad[] = {
		{ { 2, 0, 'a', 0, 0 }, 5 },	/* inside */
		{ { 2, 0, 'a', 'b', 'c' }, 5 }, /* none at the end */
		{ { 0, 0, 'a' }, 3 },
		{ { 2, 0, 'a', 'b' }, 4 }, /* cut off before it */
		{ { 1, 0 }, 2 },
		{ { 1 }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct wire_reader r = reader(bad[i].size);

		memcpy(buffer, bad[i].octets, bad[i].size);
		assert_string_equal(wire_get_text(&r, 10), "");
		assert_true(r.failed);
		assert_false(wire_done(&r));
	}
}

static void
bytes_hold_anything(void **state)
{
	static const uint8_t data[] = { 0, 255, 0, '\n' };
	struct wire_writer w = writer(sizeof(buffer));
	struct wire_reader r;
	struct bytes got;

	(void)state;
	wire_put_bytes(&w, (struct bytes){ data, sizeof(data) }, sizeof(data));
	wire_put_bytes(&w, (struct bytes){ NULL, 0 }, 0);
	assert_false(w.failed);
	r = reader(w.length);
	got = wire_get_bytes(&r, sizeof(data));
	assert_int_equal(got.length, sizeof(data));
	assert_memory_equal(got.data, data, sizeof(data));
	assert_ptr_equal(got.data, buffer + 2); /* lent, not copied */
	got = wire_get_bytes(&r, 0);
	assert_int_equal(got.length, 0);
	assert_true(wire_done(&r));

	r = reader(w.length);
	got = wire_get_bytes(&r, sizeof(data) - 1);
	assert_int_equal(got.length, 0);
	assert_true(r.failed);
}

static void
nothing_is_written_past_the_end(void **state)
{
	struct wire_writer w;

	(void)state;
	for (size_t size = 0; size < 8; size++) {
		memset(buffer, 0xee, 16);
		w = writer(size);
		wire_put_u64(&w, 1);
		assert_true(w.failed);
		assert_int_equal(w.length, 0);
		for (size_t i = 0; i < 16; i++)
			assert_int_equal(buffer[i], 0xee);
	}
	for (size_t size = 0; size < 6; size++) {
		memset(buffer, 0xee, 16);
		w = writer(size);
		wire_put_text(&w, "abc", 3);
		assert_true(w.failed);
		for (size_t i = size; i < 16; i++)
			assert_int_equal(buffer[i], 0xee);
	}
}

static void
failure_is_sticky(void **state)
{
	struct wire_writer w = writer(1);
	struct wire_reader r = reader(1);

	(void)state;
	wire_put_u16(&w, 1);
	wire_put_u8(&w, 1); /* would fit, but comes too late */
	assert_true(w.failed);
	assert_int_equal(w.length, 0);

	buffer[0] = 7;
	assert_int_equal(wire_get_u32(&r), 0);
	assert_int_equal(wire_get_u8(&r), 0);
	assert_true(r.failed);
	assert_false(wire_done(&r));
}

static void
every_truncation_fails(void **state)
{
	struct wire_writer w = writer(sizeof(buffer));

	(void)state;
	wire_put_u8(&w, 1);
	wire_put_text(&w, "text", 10);
	wire_put_u64(&w, 2);
	wire_put_bytes(&w, (struct bytes){ buffer, 3 }, 10);
	for (size_t size = 0; size <= w.length + 1; size++) {
		struct wire_reader r = reader(size);

		(void)wire_get_u8(&r);
		(void)wire_get_text(&r, 10);
		(void)wire_get_u64(&r);
		(void)wire_get_bytes(&r, 10);
		assert_int_equal(wire_done(&r), size == w.length);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(greatest_values_survive),
		cmocka_unit_test(texts_carry_length_and_nul),
		cmocka_unit_test(texts_have_a_greatest_length),
		cmocka_unit_test(lengths_above_16_bits_fail),
		cmocka_unit_test(a_nul_inside_a_text_fails),
		cmocka_unit_test(bytes_hold_anything),
		cmocka_unit_test(nothing_is_written_past_the_end),
		cmocka_unit_test(failure_is_sticky),
		cmocka_unit_test(every_truncation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
