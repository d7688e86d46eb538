#include "common/wire.h"

#include <string.h>

static uint8_t *
writer_room(struct wire_writer *w, size_t n)
{
	uint8_t *at;

	if (w->failed || w->size - w->length < n) {
		w->failed = true;
		return NULL;
	}
	at = w->data + w->length;
	w->length += n;
	return at;
}

static const uint8_t *
reader_take(struct wire_reader *r, size_t n)
{
	const uint8_t *at;

	if (r->failed || r->size - r->offset < n) {
		r->failed = true;
		return NULL;
	}
	at = r->data + r->offset;
	r->offset += n;
	return at;
}

static void
put_integer(struct wire_writer *w, uint64_t value, size_t width)
{
	uint8_t *at = writer_room(w, width);

	if (at == NULL)
		return;
	for (size_t i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t
get_integer(struct wire_reader *r, size_t width)
{
	const uint8_t *at = reader_take(r, width);
	uint64_t value = 0;

	if (at == NULL)
		return 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

void
wire_put_u8(struct wire_writer *w, uint8_t value)
{
	put_integer(w, value, 1);
}

void
wire_put_u16(struct wire_writer *w, uint16_t value)
{
	put_integer(w, value, 2);
}

void
wire_put_u32(struct wire_writer *w, uint32_t value)
{
	put_integer(w, value, 4);
}

void
wire_put_u64(struct wire_writer *w, uint64_t value)
{
	put_integer(w, value, 8);
}

void
wire_put_text(struct wire_writer *w, const char *text, size_t most)
{
	size_t length;
	uint8_t *at;

	if (text == NULL)
		text = "";
	length = strlen(text);
	if (length > most || length > UINT16_MAX) {
		w->failed = true;
		return;
	}
	wire_put_u16(w, (uint16_t)length);
	at = writer_room(w, length + 1);
	if (at != NULL)
		memcpy(at, text, length + 1);
}

void
wire_put_bytes(struct wire_writer *w, struct bytes bytes, size_t most)
{
	uint8_t *at;

	if (bytes.length > most || bytes.length > UINT16_MAX) {
		w->failed = true;
		return;
	}
	wire_put_u16(w, (uint16_t)bytes.length);
	at = writer_room(w, bytes.length);
	if (at != NULL && bytes.length > 0)
		memcpy(at, bytes.data, bytes.length);
}

uint8_t
wire_get_u8(struct wire_reader *r)
{
	return (uint8_t)get_integer(r, 1);
}

uint16_t
wire_get_u16(struct wire_reader *r)
{
	return (uint16_t)get_integer(r, 2);
}

uint32_t
wire_get_u32(struct wire_reader *r)
{
	return (uint32_t)get_integer(r, 4);
}

uint64_t
wire_get_u64(struct wire_reader *r)
{
	return get_integer(r, 8);
}

const char *
wire_get_text(struct wire_reader *r, size_t most)
{
	size_t length = wire_get_u16(r);
	const uint8_t *at = NULL;

	if (length > most)
		r->failed = true;
	at = reader_take(r, length + 1);
	if (at == NULL || memchr(at, '\0', length + 1) != at + length) {
		r->failed = true;
		return "";
	}
	return (const char *)at;
}

struct bytes
wire_get_bytes(struct wire_reader *r, size_t most)
{
	struct bytes bytes = { NULL, 0 };
	size_t length = wire_get_u16(r);

	if (length > most)
		r->failed = true;
	bytes.data = reader_take(r, length);
	if (bytes.data != NULL)
		bytes.length = length;
	return bytes;
}

bool
wire_done(const struct wire_reader *r)
{
	return !r->failed && r->offset == r->size;
}
