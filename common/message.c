#include "common/message.h"

#include <errno.h>
#include <inttypes.h>

#include "common/printable.h"

/* The sets of programs that message.def names. */
#define SUPERVISOR PROGRAM_SUPERVISOR
#define SMTPD PROGRAM_SMTPD
#define ROUTER PROGRAM_ROUTER
#define QUEUE PROGRAM_QUEUE
#define RESOLVER PROGRAM_RESOLVER
#define REMOTE PROGRAM_REMOTE
#define SPAWN PROGRAM_SPAWN
#define LOCAL PROGRAM_LOCAL
#define CTL PROGRAM_CTL
#define CHILDREN (SMTPD | ROUTER | QUEUE | RESOLVER | REMOTE | SPAWN)

#define HEADER_SIZE 6

struct message_rule {
	const char *name;
	unsigned int from, to, fds;
	size_t size;
};

/* Terms of a sum. NOLINTBEGIN(bugprone-macro-parentheses) */
#define U8(field) +1
#define U16(field) +2
#define U32(field) +4
#define U64(field) +8
#define TEXT(field, most) +3 + (most)
#define BYTES(field, most) +2 + (most)
/* NOLINTEND(bugprone-macro-parentheses) */

enum {
#define MESSAGE(type, member, from, to, fds, fields) \
	SIZE_##type = HEADER_SIZE fields,
#include "common/message.def"
};

static const struct message_rule rules[MESSAGE_TYPES] = {
#define MESSAGE(type, member, from, to, fds, fields) \
	[MESSAGE_##type] = { #type, (from), (to), (fds), SIZE_##type },
#include "common/message.def"
};

#define MESSAGE(type, member, from, to, fds, fields) \
	_Static_assert(                              \
	    SIZE_##type <= LIMIT_RECORD, #type " does not fit a record");
#include "common/message.def"

#define U8(field) wire_put_u8(w, m->field);
#define U16(field) wire_put_u16(w, m->field);
#define U32(field) wire_put_u32(w, m->field);
#define U64(field) wire_put_u64(w, m->field);
#define TEXT(field, most) wire_put_text(w, m->field, (most));
#define BYTES(field, most) wire_put_bytes(w, m->field, (most));
#define MESSAGE(type, member, from, to, fds, fields)                 \
	static void encode_##member(                                 \
	    const struct message_##member *m, struct wire_writer *w) \
	{                                                            \
		fields                                               \
	}
#include "common/message.def"

#define U8(field) m->field = wire_get_u8(r);
#define U16(field) m->field = wire_get_u16(r);
#define U32(field) m->field = wire_get_u32(r);
#define U64(field) m->field = wire_get_u64(r);
#define TEXT(field, most) m->field = wire_get_text(r, (most));
#define BYTES(field, most) m->field = wire_get_bytes(r, (most));
#define MESSAGE(type, member, from, to, fds, fields)           \
	static void decode_##member(                           \
	    struct message_##member *m, struct wire_reader *r) \
	{                                                      \
		fields                                         \
	}
#include "common/message.def"

static void
print_text(FILE *out, const char *name, const char *text)
{
	char shown[LIMIT_LOG_LINE];

	printable_copy(shown, sizeof(shown), text != NULL ? text : "");
	fprintf(out, " %s=\"%s\"", name, shown);
}

#define U8(field) fprintf(out, " " #field "=%u", (unsigned int)m->field);
#define U16(field) fprintf(out, " " #field "=%u", (unsigned int)m->field);
#define U32(field) fprintf(out, " " #field "=%" PRIu32, m->field);
#define U64(field) fprintf(out, " " #field "=%" PRIu64, m->field);
#define TEXT(field, most) print_text(out, #field, m->field);
#define BYTES(field, most) fprintf(out, " " #field "=[%zu]", m->field.length);
#define MESSAGE(type, member, from, to, fds, fields)     \
	static void print_##member(                      \
	    const struct message_##member *m, FILE *out) \
	{                                                \
		fields                                   \
	}
#include "common/message.def"

static bool
is_known(unsigned int type)
{
	return type > MESSAGE_NONE && type < MESSAGE_TYPES;
}

ssize_t
message_encode(const struct message *m, void *record, size_t size)
{
	struct wire_writer w = { .data = record, .size = size };

	if (!is_known(m->type) || (m->fd != -1) != (rules[m->type].fds == 1)) {
		errno = EINVAL;
		return -1;
	}
	wire_put_u16(&w, (uint16_t)m->type);
	wire_put_u32(&w, m->handle);
	switch (m->type) {
#define MESSAGE(type, member, from, to, fds, fields) \
	case MESSAGE_##type:                         \
		encode_##member(&m->member, &w);     \
		break;
#include "common/message.def"
	case MESSAGE_NONE:
	case MESSAGE_TYPES:
		break;
	}
	if (w.failed) {
		errno = EMSGSIZE;
		return -1;
	}
	return (ssize_t)w.length;
}

int
message_decode(
    struct message *m, const void *record, size_t length, unsigned int fds)
{
	struct wire_reader r = { .data = record, .size = length };
	unsigned int type = wire_get_u16(&r);

	*m = (struct message)MESSAGE_INIT(MESSAGE_NONE, wire_get_u32(&r));
	if (r.failed || !is_known(type) || fds != rules[type].fds) {
		errno = EPROTO;
		return -1;
	}
	m->type = (enum message_type)type;
	switch (m->type) {
#define MESSAGE(type, member, from, to, fds, fields) \
	case MESSAGE_##type:                         \
		decode_##member(&m->member, &r);     \
		break;
#include "common/message.def"
	case MESSAGE_NONE:
	case MESSAGE_TYPES:
		break;
	}
	if (!wire_done(&r)) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

bool
message_is_allowed(enum message_type type, enum program from, enum program to)
{
	return is_known(type) && (rules[type].from & from) != 0 &&
	       (rules[type].to & to) != 0;
}

const char *
message_type_name(enum message_type type)
{
	return is_known(type) ? rules[type].name : "UNKNOWN";
}

unsigned int
message_type_fds(enum message_type type)
{
	return is_known(type) ? rules[type].fds : 0;
}

size_t
message_type_size(enum message_type type)
{
	return is_known(type) ? rules[type].size : 0;
}

int
message_take_fd(struct message *m)
{
	int fd = m->fd;

	m->fd = -1;
	return fd;
}

void
message_print(const struct message *m, FILE *out)
{
	fprintf(
	    out, "%s handle=%" PRIu32, message_type_name(m->type), m->handle);
	switch (m->type) {
#define MESSAGE(type, member, from, to, fds, fields) \
	case MESSAGE_##type:                         \
		print_##member(&m->member, out);     \
		break;
#include "common/message.def"
	case MESSAGE_NONE:
	case MESSAGE_TYPES:
		break;
	}
	fputc('\n', out);
}
