/*
 * All that the store knows, as it was at one moment, as JSON Lines: for each
 * message its row, its content, its recipients and its history; then the
 * history of those that are gone; then what is known of destinations. The
 * indexes and counts follow from that and are not written.
 *
 * What is damaged is left out, and said.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/id.h"
#include "queue/store.h"
#include "queue/store_content.h"
#include "queue/tool/fields.h"
#include "queue/tool/tool.h"

struct dump {
	struct store *store;
	uint64_t messages;
	uint64_t events;
	uint64_t left_out;
};

static void
leave_out(struct dump *d, const char *what, uint64_t id, const char *why)
{
	d->left_out++;
	tool_say("%s %s is left out: %s", what, id_format(id).text, why);
}

static struct json
begin_line(const char *type, uint64_t id)
{
	struct json j;

	json_begin(&j, stdout);
	json_text(&j, "type", type);
	if (id != 0)
		json_text(&j, "id", id_format(id).text);
	return j;
}

/* -- A message ------------------------------------------------------------ */

static void
dump_content(struct dump *d, uint64_t id, uint64_t size)
{
	uint64_t at = 0;

	for (uint32_t chunk = 0; at < size; chunk++) {
		struct row_key key = row_key_number(id, chunk);
		struct bytes octets;
		struct json j;

		/* All of them have just been seen, in this transaction. */
		if (store_get(d->store, STORE_CONTENT, &key, &octets) == -1) {
			leave_out(d, "content", id, strerror(errno));
			return;
		}
		j = begin_line("content", id);
		json_octets(&j, "data", octets.data, octets.length);
		json_end(&j);
		at += octets.length;
	}
}

static bool
is_readable(uint64_t id, uint32_t number, struct bytes value)
{
	struct row_recipient row;

	(void)id;
	(void)number;
	return row_recipient_decode(&row, value.data, value.length) == 0;
}

/* Each row of this message in the table; `each` as many as could be read. */
static uint64_t
dump_rows(struct dump *d, enum store_table table, uint64_t id,
    bool (*each)(uint64_t id, uint32_t number, struct bytes value))
{
	struct row_key from = row_key_number(id, 0);
	struct bytes key, value;
	uint64_t written = 0, of;
	uint32_t number;
	int found = store_seek(d->store, table, &from, &key, &value);

	for (; found == 0 &&
	       row_key_number_read(key.data, key.length, &of, &number) == 0 &&
	       of == id;
	     found = store_next(d->store, table, &key, &value)) {
		if (each(id, number, value))
			written++;
		else if (each != is_readable) /* they are told of later */
			leave_out(d,
			    table == STORE_EVENT ? "an event of"
						 : "a recipient of",
			    id, "the row is damaged");
	}
	return written;
}

static bool
dump_recipient(uint64_t id, uint32_t number, struct bytes value)
{
	struct row_recipient row;
	struct json j;

	if (row_recipient_decode(&row, value.data, value.length) == -1)
		return false;
	j = begin_line("recipient", id);
	json_number(&j, "number", number);
	fields_write(&j, fields_recipient, &row);
	json_end(&j);
	return true;
}

static bool
dump_event(uint64_t id, uint32_t number, struct bytes value)
{
	struct row_event row;
	struct json j;

	if (row_event_decode(&row, value.data, value.length) == -1)
		return false;
	j = begin_line("event", id);
	json_number(&j, "number", number);
	fields_write(&j, fields_event, &row);
	json_end(&j);
	return true;
}

/* A message that nobody has to get, or that cannot be given, is none. */
static void
dump_message(struct dump *d, uint64_t id, struct bytes value)
{
	struct row_message row;
	uint64_t digest;
	const char *why = NULL;
	struct json j;

	if (row_message_decode(&row, value.data, value.length) == -1)
		why = "the row is damaged";
	else if (store_content_check(d->store, id, &row, &digest, &why) == 0) {
		why = "it has no recipients";
		if (dump_rows(d, STORE_RECIPIENT, id, is_readable) > 0)
			why = NULL;
		/* One of before there were checksums gets one. */
		row.digest = digest;
	}
	if (why != NULL) {
		leave_out(d, "message", id, why);
		return;
	}
	j = begin_line("message", id);
	fields_write(&j, fields_message, &row);
	json_end(&j);
	dump_content(d, id, row.size);
	(void)dump_rows(d, STORE_RECIPIENT, id, dump_recipient);
	d->messages++;
}

/* -- All of it ------------------------------------------------------------ */

/* The next message, or history of one, behind this one. 0: there is none. */
static uint64_t
next_id(struct dump *d, uint64_t after, bool *is_here, struct bytes *value)
{
	struct row_key message = row_key_id(after + 1);
	struct row_key event = row_key_number(after + 1, 0);
	uint64_t id = 0, of;
	struct bytes key, ignored;
	uint32_t number;

	*is_here =
	    store_seek(d->store, STORE_MESSAGE, &message, &key, value) == 0 &&
	    row_key_id_read(key.data, key.length, &id) == 0;
	if (store_seek(d->store, STORE_EVENT, &event, &key, &ignored) == -1 ||
	    row_key_number_read(key.data, key.length, &of, &number) == -1)
		return id;
	if (*is_here && id <= of)
		return id;
	*is_here = false;
	return of;
}

static void
dump_messages(struct dump *d)
{
	struct bytes value;
	uint64_t id = 0;
	bool is_here;

	while ((id = next_id(d, id, &is_here, &value)) != 0) {
		if (is_here)
			dump_message(d, id, value);
		d->events += dump_rows(d, STORE_EVENT, id, dump_event);
		if (id == UINT64_MAX || ferror(stdout))
			return;
	}
}

static void
dump_destination(struct bytes key, struct bytes value)
{
	char name[LIMIT_DESTINATION + 1];
	struct row_destination row;
	struct json j;

	if (key.length > LIMIT_DESTINATION ||
	    row_destination_decode(&row, value.data, value.length) == -1 ||
	    (row.failures == 0 && row.backoff_until == 0 &&
		row.reply[0] == '\0'))
		return;
	memcpy(name, key.data, key.length);
	name[key.length] = '\0';
	j = begin_line("destination", 0);
	json_text(&j, "id", name);
	fields_write(&j, fields_destination, &row);
	json_end(&j);
}

static void
dump_destinations(struct dump *d)
{
	struct row_key start = { .length = 1 };
	struct bytes key, value;
	int found =
	    store_seek(d->store, STORE_DESTINATION, &start, &key, &value);

	for (; found == 0;
	     found = store_next(d->store, STORE_DESTINATION, &key, &value))
		dump_destination(key, value);
}

static void
dump_all(struct dump *d)
{
	struct json j = begin_line(DUMP_TYPE, 0);

	json_number(&j, "version", DUMP_VERSION);
	json_number(&j, "schema", STORE_SCHEMA);
	json_end(&j);
	dump_messages(d);
	dump_destinations(d);
	j = begin_line("end", 0);
	json_number(&j, "messages", d->messages);
	json_number(&j, "events", d->events);
	json_end(&j);
}

int
dump_work(struct tool *tool)
{
	int code;
	struct dump d = { .store = tool_open(tool, &code) };

	if (d.store == NULL)
		return code;
	if (store_read_begin(d.store) == -1)
		code = tool_fail(tool, "cannot read the store");
	else {
		dump_all(&d);
		store_read_end(d.store);
	}
	store_close(&d.store);
	if (code == EX_OK && d.left_out > 0)
		code = EX_DATAERR;
	return code;
}
