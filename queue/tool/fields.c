#include "queue/tool/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store_row.h"

#define FIELD(type, kind, member)                                          \
	{                                                                  \
#member, FIELD_##kind, offsetof(struct row_##type, member) \
	}
#define END                           \
	{                             \
		NULL, FIELD_TEXT, 0U, \
	}

/* `open` says how many recipients follow: one whose line was lost is missed. */
const struct field fields_message[] = {
	FIELD(message, U64, arrival),
	FIELD(message, U64, size),
	FIELD(message, TEXT, sender),
	FIELD(message, TEXT, client_address),
	FIELD(message, TEXT, helo),
	FIELD(message, TEXT, user),
	FIELD(message, U8, protocol),
	FIELD(message, U8, body),
	FIELD(message, U32, recipients),
	FIELD(message, U32, open),
	FIELD(message, DIGEST, digest),
	FIELD(message, U8, ret),
	FIELD(message, TEXT, envid),
	END,
};

const struct field fields_recipient[] = {
	FIELD(recipient, TEXT, address),
	FIELD(recipient, TEXT, original),
	FIELD(recipient, U8, kind),
	FIELD(recipient, TEXT, name),
	FIELD(recipient, TEXT, user),
	FIELD(recipient, TEXT, destination),
	FIELD(recipient, U8, state),
	FIELD(recipient, U32, attempts),
	FIELD(recipient, U64, due),
	FIELD(recipient, TEXT, host),
	FIELD(recipient, TEXT, reply),
	FIELD(recipient, U8, notify),
	FIELD(recipient, TEXT, orcpt),
	FIELD(recipient, U8, told),
	END,
};

const struct field fields_event[] = {
	FIELD(event, U64, time),
	FIELD(event, U8, what),
	FIELD(event, TEXT, address),
	FIELD(event, TEXT, sender),
	FIELD(event, TEXT, original),
	FIELD(event, TEXT, destination),
	FIELD(event, TEXT, host),
	FIELD(event, TEXT, detail),
	FIELD(event, U32, recipient),
	FIELD(event, U8, route),
	FIELD(event, TEXT, name),
	FIELD(event, TEXT, owner),
	FIELD(event, U32, rule),
	FIELD(event, TEXT, via),
	FIELD(event, TEXT, helo),
	FIELD(event, TEXT, user),
	FIELD(event, U8, protocol),
	FIELD(event, U64, size),
	FIELD(event, TEXT, config),
	FIELD(event, TEXT, peer),
	FIELD(event, U16, port),
	FIELD(event, TEXT, tls_version),
	FIELD(event, TEXT, tls_cipher),
	FIELD(event, U32, took),
	FIELD(event, U32, attempt),
	FIELD(event, U64, next_try),
	FIELD(event, U64, by),
	FIELD(event, U64, report),
	FIELD(event, U32, dropped),
	END,
};

/* What else is known of one is found by its recipients. */
const struct field fields_destination[] = {
	FIELD(destination, U64, backoff_until),
	FIELD(destination, U32, failures),
	FIELD(destination, TEXT, reply),
	END,
};

static uint64_t
get_number(const struct field *f, const void *row)
{
	const char *at = (const char *)row + f->offset;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (f->kind) {
	case FIELD_U8:
		return *(const uint8_t *)at;
	case FIELD_U16:
		memcpy(&u16, at, sizeof(u16));
		return u16;
	case FIELD_U32:
		memcpy(&u32, at, sizeof(u32));
		return u32;
	case FIELD_U64:
	case FIELD_DIGEST:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	case FIELD_TEXT:
		break;
	}
	return 0;
}

/* False if it does not fit. */
static bool
set_number(const struct field *f, void *row, uint64_t number)
{
	char *at = (char *)row + f->offset;
	uint16_t u16 = (uint16_t)number;
	uint32_t u32 = (uint32_t)number;

	switch (f->kind) {
	case FIELD_U8:
		*(uint8_t *)at = (uint8_t)number;
		return number <= UINT8_MAX;
	case FIELD_U16:
		memcpy(at, &u16, sizeof(u16));
		return number <= UINT16_MAX;
	case FIELD_U32:
		memcpy(at, &u32, sizeof(u32));
		return number <= UINT32_MAX;
	case FIELD_U64:
	case FIELD_DIGEST:
		memcpy(at, &number, sizeof(number));
		return true;
	case FIELD_TEXT:
		break;
	}
	return false;
}

static void
write_field(struct json *j, const struct field *f, const void *row)
{
	char digest[17];
	const char *text;

	switch (f->kind) {
	case FIELD_TEXT:
		memcpy(&text, (const char *)row + f->offset, sizeof(text));
		json_text(j, f->name, text);
		break;
	case FIELD_DIGEST:
		snprintf(
		    digest, sizeof(digest), "%016" PRIx64, get_number(f, row));
		json_text(j, f->name, digest);
		break;
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
		json_number(j, f->name, get_number(f, row));
		break;
	}
}

void
fields_write(struct json *j, const struct field *f, const void *row)
{
	for (; f->name != NULL; f++)
		write_field(j, f, row);
}

static bool
is_empty(const struct field *f, const void *row)
{
	const char *text;

	if (f->kind != FIELD_TEXT)
		return get_number(f, row) == 0;
	memcpy(&text, (const char *)row + f->offset, sizeof(text));
	return text[0] == '\0';
}

void
fields_write_known(
    struct json *j, const struct field *f, const void *row, unsigned int first)
{
	for (; f->name != NULL; f++) {
		if (first > 0 || !is_empty(f, row))
			write_field(j, f, row);
		first -= first > 0;
	}
}

static void
set_text(const struct field *f, void *row, const char *text)
{
	memcpy((char *)row + f->offset, &text, sizeof(text));
}

static bool
set_digest(const struct field *f, void *row, const char *text)
{
	char *end;

	if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		return false;
	return set_number(f, row, strtoull(text, &end, 16));
}

static bool
set_field(const struct field *f, void *row, const struct json_member *m)
{
	if (f->kind == FIELD_DIGEST)
		return m->text != NULL && set_digest(f, row, m->text);
	if ((f->kind == FIELD_TEXT) != (m->text != NULL))
		return false;
	if (f->kind != FIELD_TEXT)
		return set_number(f, row, m->number);
	set_text(f, row, m->text);
	return true;
}

static bool
is_passed_over(const char *name)
{
	return strcmp(name, "type") == 0 || strcmp(name, "id") == 0 ||
	       strcmp(name, "number") == 0;
}

const char *
fields_read(const struct field *fields, void *row,
    const struct json_member *members, int count)
{
	for (const struct field *f = fields; f->name != NULL; f++)
		if (f->kind == FIELD_TEXT)
			set_text(f, row, "");
		else
			(void)set_number(f, row, 0);
	for (int i = 0; i < count; i++) {
		const struct field *f = fields;

		if (is_passed_over(members[i].name))
			continue;
		while (f->name != NULL && strcmp(f->name, members[i].name) != 0)
			f++;
		if (f->name == NULL || !set_field(f, row, &members[i]))
			return members[i].name;
	}
	return NULL;
}

static const struct json_member *
find(const struct json_member *members, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

const char *
fields_text(const struct json_member *members, int count, const char *name)
{
	const struct json_member *m = find(members, count, name);

	return m == NULL ? NULL : m->text;
}

const struct json_member *
fields_number(const struct json_member *members, int count, const char *name)
{
	const struct json_member *m = find(members, count, name);

	return m == NULL || m->text != NULL ? NULL : m;
}
