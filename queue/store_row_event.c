/*
 * The rows of events. Of all that may be known of an event little is known of
 * each, and there are many: after the time and the kind comes a set that says
 * which fields are there, and only these follow. What is 0 or "" is not there,
 * so that there is one way only to write a row.
 */
#include "queue/store_row.h"

#include <string.h>

#include "common/mail.h"
#include "common/peer.h"
#include "common/via.h"
#include "queue/store_row_private.h"

#define LIMIT_HOST (LIMIT_DOMAIN + 64)

enum kind { TEXT, NUMBER_8, NUMBER_16, NUMBER_32, NUMBER_64 };

struct field {
	enum kind kind;
	size_t offset;
	size_t most; /* of a text */
};

#define AT(member) offsetof(struct row_event, member)

/* A field's place is its bit. Add at the end. */
static const struct field fields[] = {
	{ NUMBER_32, AT(recipient), 0 },
	{ TEXT, AT(address), LIMIT_PATH },
	{ TEXT, AT(sender), LIMIT_PATH },
	{ TEXT, AT(original), LIMIT_PATH },
	{ TEXT, AT(destination), LIMIT_DESTINATION },
	{ TEXT, AT(host), LIMIT_HOST },
	{ TEXT, AT(detail), LIMIT_REPLY },
	{ NUMBER_8, AT(route), 0 },
	{ TEXT, AT(name), LIMIT_NAME },
	{ TEXT, AT(owner), LIMIT_USER },
	{ NUMBER_32, AT(rule), 0 },
	{ TEXT, AT(via), LIMIT_VIA },
	{ TEXT, AT(helo), LIMIT_HELO },
	{ TEXT, AT(user), LIMIT_USER },
	{ NUMBER_8, AT(protocol), 0 },
	{ NUMBER_64, AT(size), 0 },
	{ TEXT, AT(config), LIMIT_PATH },
	{ TEXT, AT(peer), LIMIT_ADDRESS_TEXT },
	{ NUMBER_16, AT(port), 0 },
	{ TEXT, AT(tls_version), LIMIT_TLS_NAME },
	{ TEXT, AT(tls_cipher), LIMIT_TLS_NAME },
	{ NUMBER_32, AT(took), 0 },
	{ NUMBER_32, AT(attempt), 0 },
	{ NUMBER_64, AT(next_try), 0 },
	{ NUMBER_64, AT(by), 0 },
	{ NUMBER_64, AT(report), 0 },
	{ NUMBER_32, AT(dropped), 0 },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

_Static_assert(FIELDS <= 32, "the set of fields has 32 bits");

/* -- Members of the struct, by the table ----------------------------------- */

static const char *
text_of(const struct row_event *row, const struct field *f)
{
	const char *text;

	memcpy(&text, (const char *)row + f->offset, sizeof(text));
	return text != NULL ? text : "";
}

static void
set_text(struct row_event *row, const struct field *f, const char *text)
{
	memcpy((char *)row + f->offset, &text, sizeof(text));
}

static uint64_t
number_of(const struct row_event *row, const struct field *f)
{
	const char *at = (const char *)row + f->offset;
	uint16_t n16;
	uint32_t n32;
	uint64_t n64;

	switch (f->kind) {
	case NUMBER_8:
		return (uint8_t)*at;
	case NUMBER_16:
		memcpy(&n16, at, sizeof(n16));
		return n16;
	case NUMBER_32:
		memcpy(&n32, at, sizeof(n32));
		return n32;
	case NUMBER_64:
	case TEXT:
		break;
	}
	memcpy(&n64, at, sizeof(n64));
	return n64;
}

static bool
is_there(const struct row_event *row, const struct field *f)
{
	return f->kind == TEXT ? text_of(row, f)[0] != '\0'
			       : number_of(row, f) != 0;
}

/* -- Writing --------------------------------------------------------------- */

static void
put_field(
    struct wire_writer *w, const struct row_event *row, const struct field *f)
{
	switch (f->kind) {
	case TEXT:
		wire_put_text(w, text_of(row, f), f->most);
		break;
	case NUMBER_8:
		wire_put_u8(w, (uint8_t)number_of(row, f));
		break;
	case NUMBER_16:
		wire_put_u16(w, (uint16_t)number_of(row, f));
		break;
	case NUMBER_32:
		wire_put_u32(w, (uint32_t)number_of(row, f));
		break;
	case NUMBER_64:
		wire_put_u64(w, number_of(row, f));
		break;
	}
}

size_t
row_event_encode(const struct row_event *row, uint8_t *value)
{
	struct wire_writer w = row_begin(value);
	uint32_t set = 0;

	for (size_t i = 0; i < FIELDS; i++)
		if (is_there(row, &fields[i]))
			set |= UINT32_C(1) << i;
	wire_put_u64(&w, row->time);
	wire_put_u8(&w, row->what);
	wire_put_u32(&w, set);
	for (size_t i = 0; i < FIELDS; i++)
		if ((set >> i & 1) != 0)
			put_field(&w, row, &fields[i]);
	return row_end(&w);
}

/* -- Reading --------------------------------------------------------------- */

static void
get_field(struct wire_reader *r, struct row_event *row, const struct field *f)
{
	char *at = (char *)row + f->offset;
	uint16_t n16;
	uint32_t n32;
	uint64_t n64;

	switch (f->kind) {
	case TEXT:
		set_text(row, f, wire_get_text(r, f->most));
		break;
	case NUMBER_8:
		*at = (char)wire_get_u8(r);
		break;
	case NUMBER_16:
		n16 = wire_get_u16(r);
		memcpy(at, &n16, sizeof(n16));
		break;
	case NUMBER_32:
		n32 = wire_get_u32(r);
		memcpy(at, &n32, sizeof(n32));
		break;
	case NUMBER_64:
		n64 = wire_get_u64(r);
		memcpy(at, &n64, sizeof(n64));
		break;
	}
}

static void
get_sparse(struct wire_reader *r, struct row_event *row)
{
	uint32_t set = wire_get_u32(r);

	if (((uint64_t)set >> FIELDS) != 0)
		r->failed = true;
	for (size_t i = 0; i < FIELDS; i++) {
		if ((set >> i & 1) == 0)
			continue;
		get_field(r, row, &fields[i]);
		if (!is_there(row, &fields[i]))
			r->failed = true;
	}
}

/* Schema 1 had six texts, of which each was there. What was the address of a
 * client, and nothing else, is so called now. */
static void
get_full(struct wire_reader *r, struct row_event *row)
{
	row->address = wire_get_text(r, LIMIT_PATH);
	row->sender = wire_get_text(r, LIMIT_PATH);
	row->original = wire_get_text(r, LIMIT_PATH);
	row->destination = wire_get_text(r, LIMIT_DESTINATION);
	row->host = wire_get_text(r, LIMIT_HOST);
	row->detail = wire_get_text(r, LIMIT_REPLY);
	if (row->what != EVENT_ACCEPTED || !peer_address_is_valid(row->host))
		return;
	row->peer = row->host;
	row->host = "";
}

int
row_event_decode(struct row_event *row, const void *data, size_t length)
{
	bool is_old;
	struct wire_reader r = row_open(data, length, &is_old);

	*row = (struct row_event){ .time = wire_get_u64(&r) };
	row->what = wire_get_u8(&r);
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].kind == TEXT)
			set_text(row, &fields[i], "");
	if (is_old)
		get_full(&r, row);
	else
		get_sparse(&r, row);
	return row_close(
	    &r, row->what < EVENT_KINDS && row->route <= ROUTE_KINDS &&
		    row->protocol <= SMTP_PROTOCOLS && via_is_valid(row->via));
}
