/*
 * Bounded cursors over one record: the only code that reads or writes the
 * octets that programs exchange or store.
 *
 * Integers are little-endian and of fixed width. A text carries its length
 * (16 bits) and ends in a NUL that is not counted, so that a decoded text is
 * a C string inside the record itself; it holds no other NUL. Bytes carry
 * their length and may hold anything.
 *
 * Failure is sticky: once a read or write did not fit, all later ones fail
 * too, and wire_done() says so. Nothing is ever read or written past the end.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets lent by whoever filled this in. */
struct bytes {
	const uint8_t *data;
	size_t length;
};

struct wire_writer {
	uint8_t *data;
	size_t size;
	size_t length; /* written so far */
	bool failed;
};

struct wire_reader {
	const uint8_t *data;
	size_t size;
	size_t offset; /* read so far */
	bool failed;
};

void wire_put_u8(struct wire_writer *, uint8_t);
void wire_put_u16(struct wire_writer *, uint16_t);
void wire_put_u32(struct wire_writer *, uint32_t);
void wire_put_u64(struct wire_writer *, uint64_t);
/* NULL is written as the empty text. Fails if longer than `most`. */
void wire_put_text(struct wire_writer *, const char *, size_t most);
void wire_put_bytes(struct wire_writer *, struct bytes, size_t most);

uint8_t wire_get_u8(struct wire_reader *);
uint16_t wire_get_u16(struct wire_reader *);
uint32_t wire_get_u32(struct wire_reader *);
uint64_t wire_get_u64(struct wire_reader *);
/* The text or bytes lie in the record and live as long as it; never NULL. */
const char *wire_get_text(struct wire_reader *, size_t most);
struct bytes wire_get_bytes(struct wire_reader *, size_t most);

/* True if every read succeeded and the whole record was consumed. */
bool wire_done(const struct wire_reader *);

#endif
