/*
 * All that the store knows, as it was at one moment, as JSON Lines: what is
 * paused, so that who loads no more than the beginning delivers nothing that
 * should wait; for each message its row, its content, its recipients and its
 * history; the history of those that are gone; what is known of destinations.
 * The indexes and counts follow from that and are not written.
 *
 * A row that is damaged is left out, and said. If the store itself cannot be
 * read the dump has no end, and no load takes it for a whole one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/id.h"
#include "queue/destination_name.h"
#include "queue/pause.h"
#include "queue/store.h"
#include "queue/store_content.h"
#include "queue/tool/fields.h"
#include "queue/tool/tool.h"

struct dump {
	const struct tool *tool;
	struct store *store;
	int code; /* of what ended it; EX_OK: nothing has */
	uint64_t messages;
	uint64_t seen; /* rows of messages */
	uint64_t events;
	uint64_t left_out;
	/* The last keys that were said to be damaged: walks come by again. */
	struct row_key damaged[STORE_TABLES];
};

static void
leave_out(struct dump *d, const char *what, uint64_t id, const char *why)
{
	d->left_out++;
	tool_say("%s %s is left out: %s", what, id_format(id).text, why);
}

/* Is there a row? A store that cannot be read is not one that ends. */
static bool
is_found(struct dump *d, int result)
{
	if (result == 0)
		return d->code == EX_OK;
	if (errno != ENOENT && d->code == EX_OK)
		d->code = tool_fail(d->tool, "cannot read the store");
	return false;
}

static void
leave_out_key(struct dump *d, enum store_table table, struct bytes key)
{
	struct row_key *last = &d->damaged[table];
	size_t least = key.length < last->length ? key.length : last->length;
	int order = least == 0 ? 0 : memcmp(key.data, last->octets, least);

	if (order < 0 || (order == 0 && key.length <= last->length))
		return;
	d->seen += table == STORE_MESSAGE;
	last->length = key.length < sizeof(last->octets) ? key.length
							 : sizeof(last->octets);
	memcpy(last->octets, key.data, last->length);
	d->left_out++;
	tool_say("a row of the table \"%s\" is left out: its key is damaged",
	    store_table_name(table));
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

/* LMDB reads nothing more in a transaction that met a damaged page. */
static void
content_failed(struct dump *d, uint64_t id)
{
	char what[64];

	snprintf(what, sizeof(what), "cannot read the content of %s",
	    id_format(id).text);
	d->code = tool_fail(d->tool, what);
}

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
			content_failed(d, id);
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

	for (; is_found(d, found);
	     found = store_next(d->store, table, &key, &value)) {
		if (row_key_number_read(key.data, key.length, &of, &number) ==
		    -1) {
			leave_out_key(d, table, key);
			continue;
		}
		if (of != id)
			break;
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

/* Of an event: when, and what. */
#define EVENT_FIELDS 2

static bool
dump_event(uint64_t id, uint32_t number, struct bytes value)
{
	struct row_event row;
	struct json j;

	if (row_event_decode(&row, value.data, value.length) == -1)
		return false;
	j = begin_line("event", id);
	json_number(&j, "number", number);
	fields_write_known(&j, fields_event, &row, EVENT_FIELDS);
	json_end(&j);
	return true;
}

/* Why not, or NULL. */
static const char *
judge_content(struct dump *d, uint64_t id, struct row_message *row)
{
	const char *why = NULL;
	uint64_t digest;

	if (store_content_check(d->store, id, row, &digest, &why) == -1) {
		if (errno == EBADMSG)
			return why;
		content_failed(d, id);
		return NULL;
	}
	/* One of before there were checksums gets one. */
	row->digest = digest;
	return NULL;
}

/* A message that nobody has to get, or that cannot be given, is none. */
static const char *
judge_message(
    struct dump *d, uint64_t id, struct row_message *row, struct bytes value)
{
	const char *why;

	if (row_message_decode(row, value.data, value.length) == -1)
		return "the row is damaged";
	why = judge_content(d, id, row);
	if (why != NULL || d->code != EX_OK)
		return why;
	return dump_rows(d, STORE_RECIPIENT, id, is_readable) > 0
		   ? NULL
		   : "it has no recipients";
}

static void
dump_message(struct dump *d, uint64_t id, struct bytes value)
{
	struct row_message row;
	const char *why = judge_message(d, id, &row, value);
	struct json j;

	d->seen++;
	if (d->code != EX_OK)
		return;
	if (why != NULL) {
		leave_out(d, "message", id, why);
		return;
	}
	j = begin_line("message", id);
	fields_write(&j, fields_message, &row);
	json_end(&j);
	dump_content(d, id, row.size);
	if (d->code == EX_OK)
		(void)dump_rows(d, STORE_RECIPIENT, id, dump_recipient);
	d->messages++;
}

/* -- All of it ------------------------------------------------------------ */

/* The next message behind this one. 0: there is none. */
static uint64_t
next_message(struct dump *d, uint64_t after, struct bytes *value)
{
	struct row_key from = row_key_id(after + 1);
	struct bytes key;
	uint64_t id;
	int found = store_seek(d->store, STORE_MESSAGE, &from, &key, value);

	for (; is_found(d, found);
	     found = store_next(d->store, STORE_MESSAGE, &key, value)) {
		if (row_key_id_read(key.data, key.length, &id) == 0)
			return id;
		leave_out_key(d, STORE_MESSAGE, key);
	}
	return 0;
}

static uint64_t
next_history(struct dump *d, uint64_t after)
{
	struct row_key from = row_key_number(after + 1, 0);
	struct bytes key, ignored;
	uint64_t id;
	uint32_t number;
	int found = store_seek(d->store, STORE_EVENT, &from, &key, &ignored);

	for (; is_found(d, found);
	     found = store_next(d->store, STORE_EVENT, &key, &ignored)) {
		if (row_key_number_read(key.data, key.length, &id, &number) ==
		    0)
			return id;
		leave_out_key(d, STORE_EVENT, key);
	}
	return 0;
}

/* Either of them, whichever comes first. 0: there is none. */
static uint64_t
next_id(struct dump *d, uint64_t after, bool *is_here, struct bytes *value)
{
	uint64_t message = next_message(d, after, value);
	uint64_t history = next_history(d, after);

	*is_here = message != 0 && (history == 0 || message <= history);
	return *is_here ? message : history;
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
		if (d->code == EX_OK)
			d->events += dump_rows(d, STORE_EVENT, id, dump_event);
		if (d->code != EX_OK || id == UINT64_MAX || ferror(stdout))
			return;
	}
}

/* One that mail can be for. */
static bool
read_name(struct bytes key, char *name)
{
	char parsed[LIMIT_DESTINATION + 1];

	if (key.length > LIMIT_DESTINATION ||
	    memchr(key.data, '\0', key.length) != NULL)
		return false;
	memcpy(name, key.data, key.length);
	name[key.length] = '\0';
	return destination_parse(name, parsed) == 0 &&
	       strcmp(parsed, name) == 0;
}

static void
dump_destination(struct dump *d, struct bytes key, struct bytes value)
{
	char name[LIMIT_DESTINATION + 1];
	struct row_destination row;
	struct json j;

	if (!read_name(key, name) ||
	    row_destination_decode(&row, value.data, value.length) == -1) {
		d->left_out++;
		tool_say("what is known of a destination is left out: the row "
			 "is damaged");
		return;
	}
	if (row.failures == 0 && row.backoff_until == 0 && row.reply[0] == '\0')
		return;
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

	for (; is_found(d, found);
	     found = store_next(d->store, STORE_DESTINATION, &key, &value))
		dump_destination(d, key, value);
}

static void
dump_pause(struct dump *d, const char *name)
{
	char destination[LIMIT_DESTINATION + 1];
	struct json j;

	if (name[0] != '\0' && destination_parse(name, destination) == -1) {
		d->left_out++;
		tool_say("a pause is left out: no mail can be for what is "
			 "paused");
		return;
	}
	j = begin_line("pause", 0);
	json_text(&j, "id", name);
	json_end(&j);
}

static void
dump_pauses(struct dump *d)
{
	const char *name;

	if (pause_load(d->store) == -1) {
		d->code = tool_fail(d->tool, "cannot read the store");
		return;
	}
	if (pause_damaged() > 0) {
		d->left_out += pause_damaged();
		tool_say("%u rows that pause something are left out: their "
			 "keys are damaged",
		    pause_damaged());
	}
	if (pause_is_set(""))
		dump_pause(d, "");
	for (name = pause_from(""); name != NULL; name = pause_above(name))
		dump_pause(d, name);
}

/* Does a damaged page hide any? */
static void
count_messages(struct dump *d)
{
	uint64_t rows;

	if (store_rows(d->store, STORE_MESSAGE, &rows) == -1)
		d->code = tool_fail(d->tool, "cannot read the store");
	else if (rows != d->seen) {
		d->left_out++;
		tool_say("there should be %" PRIu64 " messages, and %" PRIu64
			 " can be found",
		    rows, d->seen);
	}
}

static void
dump_all(struct dump *d)
{
	struct json j = begin_line(DUMP_TYPE, 0);

	json_number(&j, "version", DUMP_VERSION);
	json_number(&j, "schema", STORE_SCHEMA);
	json_end(&j);
	dump_pauses(d);
	if (d->code == EX_OK)
		dump_messages(d);
	if (ferror(stdout))
		return;
	if (d->code == EX_OK)
		count_messages(d);
	if (d->code == EX_OK)
		dump_destinations(d);
	if (d->code != EX_OK)
		return;
	j = begin_line("end", 0);
	json_number(&j, "messages", d->messages);
	json_number(&j, "events", d->events);
	json_end(&j);
}

int
dump_work(struct tool *tool)
{
	int code;
	struct dump d = { .tool = tool, .store = tool_open(tool, &code) };

	if (d.store == NULL)
		return code;
	if (store_read_begin(d.store) == -1)
		d.code = tool_fail(tool, "cannot read the store");
	else {
		dump_all(&d);
		store_read_end(d.store);
	}
	store_close(&d.store);
	if (d.code == EX_OK && d.left_out > 0)
		d.code = EX_DATAERR;
	return d.code;
}
