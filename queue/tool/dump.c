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
#include "queue/tool/dump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/id.h"
#include "queue/pause.h"
#include "queue/tool/fields.h"
#include "queue/tool/sound.h"
#include "queue/tool/tool.h"

struct json
dump_line(const char *type, uint64_t id)
{
	struct json j;

	json_begin(&j, stdout);
	json_text(&j, "type", type);
	if (id != 0)
		json_text(&j, "id", id_format(id).text);
	return j;
}

/* One that mail can be for. */
static bool
read_name(struct bytes key, char *name)
{
	if (key.length > LIMIT_DESTINATION ||
	    memchr(key.data, '\0', key.length) != NULL)
		return false;
	memcpy(name, key.data, key.length);
	name[key.length] = '\0';
	return sound_destination(name);
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
	j = dump_line("destination", 0);
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
		dump_destination(d, key, value);
	if (errno != ENOENT)
		d->code = tool_fail(d->tool, "cannot read the store");
}

static void
dump_pause(struct dump *d, const char *name)
{
	struct json j;

	if (name[0] != '\0' && !sound_destination(name)) {
		d->left_out++;
		tool_say("a pause is left out: no mail can be for what is "
			 "paused");
		return;
	}
	j = dump_line("pause", 0);
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

static void
dump_all(struct dump *d)
{
	struct json j = dump_line(DUMP_TYPE, 0);

	json_number(&j, "version", DUMP_VERSION);
	json_number(&j, "schema", STORE_SCHEMA);
	json_end(&j);
	dump_pauses(d);
	if (d->code == EX_OK)
		dump_messages(d);
	if (ferror(stdout))
		return;
	if (d->code == EX_OK)
		dump_destinations(d);
	if (d->code != EX_OK)
		return;
	j = dump_line("end", 0);
	json_number(&j, "messages", d->message_lines);
	json_number(&j, "events", d->event_lines);
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
