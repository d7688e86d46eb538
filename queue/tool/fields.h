/*
 * The fields of rows as a dump names them: one table for each kind of row says
 * how it is written and how it is read.
 */
#ifndef QUEUE_TOOL_FIELDS_H
#define QUEUE_TOOL_FIELDS_H

#include <stddef.h>

#include "queue/tool/json.h"

/* The first line of a dump, and its member "version". Fields may be added to
 * rows without a new version: what is not there is 0 or "". */
#define DUMP_TYPE "postern-store"
#define DUMP_VERSION 1
/* The longest line: a chunk of content in base64. Rows are shorter even if
 * each octet of theirs is written as six. */
#define DUMP_LINE (128 * 1024)
#define DUMP_MEMBERS 40

/* FIELD_DIGEST is 64 bits that are written as 16 digits: more than a number in
 * JSON can hold everywhere. */
enum field_kind {
	FIELD_TEXT,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_DIGEST
};

struct field {
	const char *name; /* NULL ends the table */
	enum field_kind kind;
	size_t offset;
};

extern const struct field fields_message[];
extern const struct field fields_recipient[];
extern const struct field fields_event[];
extern const struct field fields_destination[];

void fields_write(struct json *, const struct field *, const void *row);
/* After the first ones only those that are not 0 or "". */
void fields_write_known(
    struct json *, const struct field *, const void *row, unsigned int first);
/* Fills the row, whose texts are lent by the members. Names what it does not
 * know or what does not fit, or NULL if all is well. Members of another kind of
 * thing ("type", "id", "number") are passed over. */
const char *fields_read(
    const struct field *, void *row, const struct json_member *, int count);

/* A member of this name; NULL if there is none, or not of that kind. */
const char *fields_text(
    const struct json_member *, int count, const char *name);
const struct json_member *fields_number(
    const struct json_member *, int count, const char *name);

#endif
