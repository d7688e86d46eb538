/*
 * The decoders of the store's rows and keys. The first octet says which; a row
 * of today's format has one encoding only, so what decodes encodes to the same
 * octets; one of an older format becomes one of today's.
 */
#include "queue/store_row.h"

#include "tests/fuzz/fuzz.h"

static void
try_message(const uint8_t *data, size_t size, uint8_t *value)
{
	struct row_message row;

	size_t length;

	if (row_message_decode(&row, data, size) == -1)
		return;
	length = row_message_encode(&row, value);
	CHECK(length >= size && row_message_decode(&row, value, length) == 0);
	if (data[0] == value[0]) {
		CHECK(length == size);
		CHECK(memcmp(value, data, size) == 0);
	}
}

static void
try_recipient(const uint8_t *data, size_t size, uint8_t *value)
{
	struct row_recipient row;

	size_t length;

	if (row_recipient_decode(&row, data, size) == -1)
		return;
	length = row_recipient_encode(&row, value);
	CHECK(length >= size && row_recipient_decode(&row, value, length) == 0);
	if (data[0] == value[0]) {
		CHECK(length == size);
		CHECK(memcmp(value, data, size) == 0);
	}
}

static void
try_destination(const uint8_t *data, size_t size, uint8_t *value)
{
	struct row_destination row;

	if (row_destination_decode(&row, data, size) == 0) {
		CHECK(row_destination_encode(&row, value) == size);
		CHECK(memcmp(value, data, size) == 0);
	}
}

static void
try_event(const uint8_t *data, size_t size, uint8_t *value)
{
	struct row_event row;

	size_t length;

	if (row_event_decode(&row, data, size) == -1)
		return;
	length = row_event_encode(&row, value);
	CHECK(length > 0 && row_event_decode(&row, value, length) == 0);
	if (data[0] == value[0]) {
		CHECK(length == size);
		CHECK(memcmp(value, data, size) == 0);
	}
}

static void
try_totals(const uint8_t *data, size_t size, uint8_t *value)
{
	struct row_totals row;

	if (row_totals_decode(&row, data, size) == 0) {
		CHECK(row_totals_encode(&row, value) == size);
		CHECK(memcmp(value, data, size) == 0);
	}
}

static void
try_keys(const uint8_t *data, size_t size)
{
	char name[LIMIT_DESTINATION + 1];
	struct row_place place;
	struct row_key key;
	const char *lent;
	uint64_t number;
	uint32_t small;

	if (row_key_due_read(data, size, &lent, &place) == 0 &&
	    size <= ROW_KEY_SIZE) {
		key = row_key_due(lent, &place);
		CHECK(key.length == size);
		CHECK(memcmp(key.octets, data, size) == 0);
	}
	if (row_key_wake_read(data, size, &number, name) == 0) {
		key = row_key_wake(number, name);
		CHECK(key.length == size);
		CHECK(memcmp(key.octets, data, size) == 0);
	}
	if (row_key_number_read(data, size, &number, &small) == 0) {
		key = row_key_number(number, small);
		CHECK(memcmp(key.octets, data, size) == 0);
	}
	if (row_key_id_read(data, size, &number) == 0) {
		key = row_key_id(number);
		CHECK(memcmp(key.octets, data, size) == 0);
	}
	(void)row_key_address_matches(data, size, "a@example.org", &number);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t value[ROW_VALUE_SIZE];
	unsigned int which;

	if (size == 0)
		return 0;
	which = *data++ % 6;
	size--;
	if (which == 0)
		try_message(data, size, value);
	else if (which == 1)
		try_recipient(data, size, value);
	else if (which == 2)
		try_destination(data, size, value);
	else if (which == 3)
		try_event(data, size, value);
	else if (which == 4)
		try_totals(data, size, value);
	else
		try_keys(data, size);
	return 0;
}
