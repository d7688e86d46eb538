/*
 * The decoders of the store's rows and keys. The first octet says which; a row
 * of today's format gets its checksum here, so that what the fuzzer changed is
 * read at all. Such a row has one encoding only: what decodes encodes to the
 * same octets; one of an older format becomes one of today's.
 */
#include "queue/store_row.h"

#include <xxhash.h>

#include "tests/fuzz/fuzz.h"

#define TODAY 2

/* `size` octets became `length`, in `value`. */
static void
check_again(
    const uint8_t *data, size_t size, const uint8_t *value, size_t length)
{
	CHECK(length > 0 && value[0] == TODAY);
	if (data[0] != TODAY)
		return;
	CHECK(length == size);
	CHECK(memcmp(value, data, size) == 0);
}

#define TRY(kind)                                                     \
	static void try_##kind(                                       \
	    const uint8_t *data, size_t size, uint8_t *value)         \
	{                                                             \
		struct row_##kind row;                                \
		size_t length;                                        \
                                                                      \
		if (row_##kind##_decode(&row, data, size) == -1)      \
			return;                                       \
		length = row_##kind##_encode(&row, value);            \
		check_again(data, size, value, length);               \
		CHECK(row_##kind##_decode(&row, value, length) == 0); \
	}

TRY(message)
TRY(recipient)
TRY(destination)
TRY(event)
TRY(totals)

/* The row with its checksum; NULL if it is too long to be one. */
static const uint8_t *
seal(const uint8_t *data, size_t *size)
{
	static uint8_t sealed[ROW_VALUE_SIZE];
	uint64_t sum = XXH3_64bits(data, *size);

	if (*size == 0 || data[0] != TODAY)
		return data;
	if (*size > sizeof(sealed) - 4)
		return NULL;
	memcpy(sealed, data, *size);
	for (unsigned int i = 0; i < 4; i++)
		sealed[(*size)++] = (uint8_t)(sum >> 8 * i);
	return sealed;
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
	if (which < 5 && (data = seal(data, &size)) == NULL)
		return 0;
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
