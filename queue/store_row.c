#include "queue/store_row.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <xxhash.h>

#include "common/dsn.h"
#include "common/mail.h"
#include "queue/store_row_private.h"

/* So much of an address is in its key: with the NUL and the id it is below
 * ROW_KEY_SIZE. */
#define ADDRESS_KEY_MOST 480

#define LIMIT_HOST (LIMIT_DOMAIN + 64)

/* -- The ends of a row ---------------------------------------------------- */

struct wire_writer
row_begin(uint8_t *value)
{
	struct wire_writer w = { .data = value, .size = ROW_VALUE_SIZE };

	wire_put_u8(&w, ROW_FORMAT);
	return w;
}

static uint32_t
sum_of(const uint8_t *data, size_t length)
{
	return (uint32_t)XXH3_64bits(data, length);
}

size_t
row_end(struct wire_writer *w)
{
	wire_put_u32(w, sum_of(w->data, w->length));
	return w->failed ? 0 : w->length;
}

static bool
is_unchanged(const uint8_t *data, size_t length)
{
	struct wire_reader sum = { .data = data + length,
		.size = ROW_SUM_SIZE };

	return wire_get_u32(&sum) == sum_of(data, length);
}

struct wire_reader
row_open(const void *data, size_t length, bool *is_old)
{
	struct wire_reader r = { .data = data, .size = length };
	uint8_t format = wire_get_u8(&r);

	*is_old = format == ROW_FORMAT_OLDEST;
	if (*is_old)
		return r;
	if (format == ROW_FORMAT && length > ROW_SUM_SIZE &&
	    is_unchanged(data, length - ROW_SUM_SIZE))
		r.size -= ROW_SUM_SIZE;
	else
		r.failed = true;
	return r;
}

int
row_close(const struct wire_reader *r, bool in_range)
{
	if (wire_done(r) && in_range)
		return 0;
	errno = EBADMSG;
	return -1;
}

/* -- Rows ----------------------------------------------------------------- */

size_t
row_message_encode(const struct row_message *row, uint8_t *value)
{
	struct wire_writer w = row_begin(value);

	wire_put_u64(&w, row->arrival);
	wire_put_u64(&w, row->size);
	wire_put_text(&w, row->sender, LIMIT_PATH);
	wire_put_text(&w, row->client_address, LIMIT_ADDRESS_TEXT);
	wire_put_text(&w, row->helo, LIMIT_HELO);
	wire_put_text(&w, row->user, LIMIT_USER);
	wire_put_u8(&w, row->protocol);
	wire_put_u8(&w, row->body);
	wire_put_u32(&w, row->recipients);
	wire_put_u32(&w, row->open);
	wire_put_u64(&w, row->digest);
	wire_put_u8(&w, row->ret);
	wire_put_text(&w, row->envid, LIMIT_ENVID);
	return row_end(&w);
}

int
row_message_decode(struct row_message *row, const void *data, size_t length)
{
	bool is_old;
	struct wire_reader r = row_open(data, length, &is_old);

	row->arrival = wire_get_u64(&r);
	row->size = wire_get_u64(&r);
	row->sender = wire_get_text(&r, LIMIT_PATH);
	row->client_address = wire_get_text(&r, LIMIT_ADDRESS_TEXT);
	row->helo = wire_get_text(&r, LIMIT_HELO);
	row->user = wire_get_text(&r, LIMIT_USER);
	row->protocol = wire_get_u8(&r);
	row->body = wire_get_u8(&r);
	row->recipients = wire_get_u32(&r);
	row->open = wire_get_u32(&r);
	row->digest = is_old ? 0 : wire_get_u64(&r);
	row->ret = is_old ? DSN_RET_NONE : wire_get_u8(&r);
	row->envid = is_old ? "" : wire_get_text(&r, LIMIT_ENVID);
	return row_close(&r,
	    row->size <= LIMIT_CONTENT_SIZE_MOST &&
		row->protocol < SMTP_PROTOCOLS && row->body < SMTP_BODIES &&
		row->recipients <= LIMIT_EXPANSION &&
		row->open <= row->recipients && dsn_ret_is_valid(row->ret) &&
		dsn_envid_is_valid(row->envid));
}

size_t
row_recipient_encode(const struct row_recipient *row, uint8_t *value)
{
	struct wire_writer w = row_begin(value);

	wire_put_text(&w, row->address, LIMIT_PATH);
	wire_put_text(&w, row->original, LIMIT_PATH);
	wire_put_u8(&w, row->kind);
	wire_put_text(&w, row->name, LIMIT_NAME);
	wire_put_text(&w, row->user, LIMIT_USER);
	wire_put_text(&w, row->destination, LIMIT_DESTINATION);
	wire_put_u8(&w, row->state);
	wire_put_u32(&w, row->attempts);
	wire_put_u64(&w, row->due);
	wire_put_text(&w, row->host, LIMIT_HOST);
	wire_put_text(&w, row->reply, LIMIT_REPLY);
	wire_put_u8(&w, row->notify);
	wire_put_text(&w, row->orcpt, LIMIT_ORCPT);
	wire_put_u8(&w, row->told);
	return row_end(&w);
}

int
row_recipient_decode(struct row_recipient *row, const void *data, size_t length)
{
	bool is_old;
	struct wire_reader r = row_open(data, length, &is_old);

	row->address = wire_get_text(&r, LIMIT_PATH);
	row->original = wire_get_text(&r, LIMIT_PATH);
	row->kind = wire_get_u8(&r);
	row->name = wire_get_text(&r, LIMIT_NAME);
	row->user = wire_get_text(&r, LIMIT_USER);
	row->destination = wire_get_text(&r, LIMIT_DESTINATION);
	row->state = wire_get_u8(&r);
	row->attempts = wire_get_u32(&r);
	row->due = wire_get_u64(&r);
	row->host = wire_get_text(&r, LIMIT_HOST);
	row->reply = wire_get_text(&r, LIMIT_REPLY);
	row->notify = is_old ? 0 : wire_get_u8(&r);
	row->orcpt = is_old ? "" : wire_get_text(&r, LIMIT_ORCPT);
	/* Of what had failed then nobody was told, nor waits for it. */
	if (!is_old)
		row->told = wire_get_u8(&r);
	else
		row->told =
		    row->state == RECIPIENT_FAILED ? DSN_TOLD_GIVEN_UP : 0;
	return row_close(&r,
	    row->kind < ROUTE_KINDS && row->state < RECIPIENT_STATES &&
		row->destination[0] != '\0' &&
		dsn_notify_is_valid(row->notify) &&
		dsn_orcpt_is_valid(row->orcpt) && dsn_told_is_valid(row->told));
}

size_t
row_destination_encode(const struct row_destination *row, uint8_t *value)
{
	struct wire_writer w = row_begin(value);

	wire_put_u64(&w, row->waiting);
	wire_put_u64(&w, row->held);
	wire_put_u64(&w, row->failed);
	wire_put_u64(&w, row->wake);
	wire_put_u64(&w, row->backoff_until);
	wire_put_u32(&w, row->failures);
	wire_put_text(&w, row->reply, LIMIT_REPLY);
	return row_end(&w);
}

int
row_destination_decode(
    struct row_destination *row, const void *data, size_t length)
{
	bool is_old;
	struct wire_reader r = row_open(data, length, &is_old);

	row->waiting = wire_get_u64(&r);
	row->held = wire_get_u64(&r);
	row->failed = wire_get_u64(&r);
	row->wake = wire_get_u64(&r);
	row->backoff_until = wire_get_u64(&r);
	row->failures = wire_get_u32(&r);
	row->reply = wire_get_text(&r, LIMIT_REPLY);
	return row_close(&r, true);
}

size_t
row_totals_encode(const struct row_totals *row, uint8_t *value)
{
	struct wire_writer w = row_begin(value);

	wire_put_u64(&w, row->messages);
	wire_put_u64(&w, row->bytes);
	wire_put_u64(&w, row->waiting);
	wire_put_u64(&w, row->held);
	wire_put_u64(&w, row->failed);
	return row_end(&w);
}

int
row_totals_decode(struct row_totals *row, const void *data, size_t length)
{
	bool is_old;
	struct wire_reader r = row_open(data, length, &is_old);

	row->messages = wire_get_u64(&r);
	row->bytes = wire_get_u64(&r);
	row->waiting = wire_get_u64(&r);
	row->held = wire_get_u64(&r);
	row->failed = wire_get_u64(&r);
	return row_close(&r, true);
}

static void
key_put(struct row_key *key, const void *data, size_t length)
{
	if (length > sizeof(key->octets) - key->length)
		length = sizeof(key->octets) - key->length;
	memcpy(key->octets + key->length, data, length);
	key->length += length;
}

static void
key_put_integer(struct row_key *key, uint64_t value, size_t width)
{
	uint8_t octets[8];

	for (size_t i = 0; i < width; i++)
		octets[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
	key_put(key, octets, width);
}

static uint64_t
key_integer(const uint8_t *at, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value = value << 8 | at[i];
	return value;
}

static int
key_broken(void)
{
	errno = EBADMSG;
	return -1;
}

struct row_key
row_key_id(uint64_t id)
{
	struct row_key key = { .length = 0 };

	key_put_integer(&key, id, 8);
	return key;
}

int
row_key_id_read(const void *data, size_t length, uint64_t *id)
{
	if (length != 8)
		return key_broken();
	*id = key_integer(data, 8);
	return 0;
}

struct row_key
row_key_number(uint64_t id, uint32_t number)
{
	struct row_key key = { .length = 0 };

	key_put_integer(&key, id, 8);
	key_put_integer(&key, number, 4);
	return key;
}

int
row_key_number_read(
    const void *data, size_t length, uint64_t *id, uint32_t *number)
{
	const uint8_t *at = data;

	if (length != 12)
		return key_broken();
	*id = key_integer(at, 8);
	*number = (uint32_t)key_integer(at + 8, 4);
	return 0;
}

struct row_key
row_key_due(const char *destination, const struct row_place *place)
{
	struct row_key key = { .length = 0 };

	key_put(&key, destination, strlen(destination) + 1);
	key_put_integer(&key, place->time, 8);
	key_put_integer(&key, place->id, 8);
	key_put_integer(&key, place->number, 4);
	return key;
}

int
row_key_due_read(const void *data, size_t length, const char **destination,
    struct row_place *place)
{
	const uint8_t *at = data;

	if (length < 22 || at[length - 21] != '\0' ||
	    memchr(at, '\0', length) != at + length - 21)
		return key_broken();
	*destination = data;
	at += length - 20;
	place->time = key_integer(at, 8);
	place->id = key_integer(at + 8, 8);
	place->number = (uint32_t)key_integer(at + 16, 4);
	return 0;
}

struct row_key
row_key_report(uint64_t time, uint64_t id)
{
	struct row_key key = { .length = 0 };

	key_put_integer(&key, time, 8);
	key_put_integer(&key, id, 8);
	return key;
}

int
row_key_report_read(
    const void *data, size_t length, uint64_t *time, uint64_t *id)
{
	const uint8_t *at = data;

	if (length != 16)
		return key_broken();
	*time = key_integer(at, 8);
	*id = key_integer(at + 8, 8);
	return 0;
}

struct row_key
row_key_wake(uint64_t time, const char *destination)
{
	struct row_key key = { .length = 0 };

	key_put_integer(&key, time, 8);
	key_put(&key, destination, strlen(destination));
	return key;
}

int
row_key_wake_read(
    const void *data, size_t length, uint64_t *time, char *destination)
{
	const uint8_t *at = data;

	if (length < 9 || length - 8 > LIMIT_DESTINATION ||
	    memchr(at + 8, '\0', length - 8) != NULL)
		return key_broken();
	*time = key_integer(at, 8);
	memcpy(destination, at + 8, length - 8);
	destination[length - 8] = '\0';
	return 0;
}

struct row_key
row_key_text(const char *text)
{
	struct row_key key = { .length = 0 };

	key_put(&key, text, strlen(text));
	return key;
}

static void
key_put_address(struct row_key *key, const char *address)
{
	size_t length = strlen(address);

	if (length > ADDRESS_KEY_MOST)
		length = ADDRESS_KEY_MOST;
	for (size_t i = 0; i < length; i++)
		key->octets[key->length++] =
		    (uint8_t)tolower((unsigned char)address[i]);
	key->octets[key->length++] = '\0';
}

struct row_key
row_key_address(const char *address, uint64_t id)
{
	struct row_key key = { .length = 0 };

	key_put_address(&key, address);
	key_put_integer(&key, id, 8);
	return key;
}

bool
row_key_address_begins(const void *data, size_t length, const char *address)
{
	struct row_key key = { .length = 0 };

	key_put_address(&key, address);
	return length >= key.length &&
	       memcmp(data, key.octets, key.length) == 0;
}

bool
row_key_address_matches(
    const void *data, size_t length, const char *address, uint64_t *id)
{
	struct row_key key = { .length = 0 };

	key_put_address(&key, address);
	if (length != key.length + 8 ||
	    memcmp(data, key.octets, key.length) != 0)
		return false;
	*id = key_integer((const uint8_t *)data + key.length, 8);
	return true;
}

int
row_place_compare(const struct row_place *a, const struct row_place *b)
{
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return 0;
}
