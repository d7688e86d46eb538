/*
 * One message between two programs, and its codec.
 *
 * A decoded message lends its texts and bytes from the record it was decoded
 * from: copy what must outlive the handler. Its file descriptor, if any, is
 * owned by the channel layer until the handler takes it with
 * message_take_fd().
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/limits.h"
#include "common/program.h"
#include "common/wire.h"

enum message_type {
	MESSAGE_NONE,
#define MESSAGE(type, member, from, to, fds, fields) MESSAGE_##type,
#include "common/message.def"
	MESSAGE_TYPES
};

#define U8(field) uint8_t field;
#define U16(field) uint16_t field;
#define U32(field) uint32_t field;
#define U64(field) uint64_t field;
#define TEXT(field, most) const char *field;
#define BYTES(field, most) struct bytes field;
#define MESSAGE(type, member, from, to, fds, fields) \
	struct message_##member {                    \
		fields                               \
	};
#include "common/message.def"

struct message {
	enum message_type type;
	uint32_t handle;
	int fd; /* -1 unless the type carries one */
	union {
#define MESSAGE(type, member, from, to, fds, fields) \
	struct message_##member member;
#include "common/message.def"
	};
};

/* An empty message of a type: all fields zero or empty, no descriptor. */
#define MESSAGE_INIT(message_type, message_handle)                           \
	{                                                                    \
		.type = (message_type), .handle = (message_handle), .fd = -1 \
	}

/* Writes a record of at most `size` octets into `record`; returns its length.
 * -1 and EMSGSIZE if a field is longer than the table allows; EINVAL if the
 * descriptor is missing or not wanted. */
ssize_t message_encode(const struct message *, void *record, size_t size)
    __attribute__((warn_unused_result));

/* Reads a record that came with `fds` descriptors. The record must be exactly
 * one message of a known type, and the number of descriptors must be right.
 * -1 and EPROTO otherwise. Does not set `fd`. */
int message_decode(struct message *, const void *record, size_t length,
    unsigned int fds) __attribute__((warn_unused_result));

/* May `from` send this type to `to`? */
bool message_is_allowed(enum message_type, enum program from, enum program to);

const char *message_type_name(enum message_type);
unsigned int message_type_fds(enum message_type);
/* The greatest length of a record of this type. */
size_t message_type_size(enum message_type);

/* Hands the descriptor over to the caller. */
int message_take_fd(struct message *);

/* The message on one line, for people. Texts are made printable. */
void message_print(const struct message *, FILE *);

#endif
