/*
 * The messages of a dump. Four tables are walked side by side: what belongs to
 * a message is what they have under its id.
 */
#include "queue/tool/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "common/id.h"
#include "queue/digest.h"
#include "queue/tool/fields.h"
#include "queue/tool/sound.h"
#include "queue/tool/tool.h"

#define CHUNKS_MOST (LIMIT_CONTENT_SIZE_MOST / ROW_CHUNK_SIZE + 1)

/* Of one message; each number is there once. */
static struct {
	struct walk_row chunks[CHUNKS_MOST];
	size_t chunk_count;
	struct row_message row;
	struct walk_row recipients[LIMIT_EXPANSION];
	uint32_t recipient_count;
} gathered;

static void
leave_out(struct dump *d, const char *what, uint64_t id, const char *why)
{
	d->left_out++;
	tool_say("%s %s is left out: %s", what, id_format(id).text, why);
}

static void
leave_out_key(enum store_table table, void *context)
{
	struct dump *d = context;

	d->left_out++;
	tool_say("a row of the table \"%s\" is left out: its key is damaged",
	    store_table_name(table));
}

/* Is there a row of this message? A store that cannot be read is not one that
 * ends. */
static bool
is_at(struct dump *d, const struct walk *w, uint64_t id)
{
	if (w->error != 0 && !w->is_here && d->code == EX_OK) {
		errno = w->error;
		d->code = tool_fail(d->tool, "cannot read the store");
	}
	return d->code == EX_OK && w->is_here && w->here.id == id;
}

/* Those of ids that no message has. */
static void
pass_over(struct dump *d, struct walk *w, uint64_t id, const char *what)
{
	uint64_t last = 0;

	for (; w->is_here && w->here.id < id; walk_next(w)) {
		if (w->here.id != last)
			leave_out(
			    d, what, w->here.id, "its message is not there");
		last = w->here.id;
	}
}

/* -- What belongs to a message -------------------------------------------- */

static void
gather_chunks(struct dump *d, uint64_t id)
{
	struct walk *w = &d->content;

	gathered.chunk_count = 0;
	for (pass_over(d, w, id, "the content of"); is_at(d, w, id);
	     walk_next(w))
		if (gathered.chunk_count < CHUNKS_MOST)
			gathered.chunks[gathered.chunk_count++] = w->here;
}

static bool
is_sound(const struct walk_row *at)
{
	struct row_recipient row;

	return row_recipient_decode(&row, at->value.data, at->value.length) ==
		   0 &&
	       sound_recipient(at->number, &row);
}

static void
gather_recipients(struct dump *d, uint64_t id)
{
	struct walk *w = &d->recipients;

	gathered.recipient_count = 0;
	for (pass_over(d, w, id, "what waits of"); is_at(d, w, id);
	     walk_next(w))
		if (is_sound(&w->here))
			gathered.recipients[gathered.recipient_count++] =
			    w->here;
		else
			leave_out(
			    d, "a recipient of", id, "the row is damaged");
}

/* Why not all of it is there, or NULL. */
static const char *
judge_chunks(uint64_t left)
{
	for (size_t i = 0; i < gathered.chunk_count; i++) {
		const struct walk_row *chunk = &gathered.chunks[i];
		uint64_t length = left < ROW_CHUNK_SIZE ? left : ROW_CHUNK_SIZE;

		if (chunk->number != i)
			return "a chunk of the content is missing";
		if (left == 0)
			return "there is more content than there should be";
		if (chunk->value.length != length)
			return "a chunk of the content has another length";
		left -= length;
	}
	return left == 0 ? NULL : "a chunk of the content is missing";
}

/* One of before there were checksums gets one. */
static const char *
judge_content(struct row_message *row)
{
	const char *why = judge_chunks(row->size);
	struct digest digest;
	uint64_t before = row->digest;

	if (why != NULL)
		return why;
	digest_begin(&digest);
	for (size_t i = 0; i < gathered.chunk_count; i++)
		digest_add(&digest, gathered.chunks[i].value.data,
		    gathered.chunks[i].value.length);
	row->digest = digest_end(&digest);
	return before == 0 || before == row->digest
		   ? NULL
		   : "the content has another checksum";
}

/* A message that nobody has to get, or that cannot be given, is none. */
static const char *
judge(struct bytes value)
{
	struct row_message *row = &gathered.row;
	const char *why;

	if (row_message_decode(row, value.data, value.length) == -1)
		return "the row is damaged";
	why = judge_content(row);
	if (why != NULL)
		return why;
	row->open = gathered.recipient_count;
	return row->open > 0 ? NULL : "it has no recipients";
}

/* -- Lines ---------------------------------------------------------------- */

static void
write_message(uint64_t id)
{
	struct json j = dump_line("message", id);

	fields_write(&j, fields_message, &gathered.row);
	json_end(&j);
	for (size_t i = 0; i < gathered.chunk_count; i++) {
		struct bytes octets = gathered.chunks[i].value;

		j = dump_line("content", id);
		json_octets(&j, "data", octets.data, octets.length);
		json_end(&j);
	}
}

static void
write_recipients(uint64_t id)
{
	for (uint32_t i = 0; i < gathered.recipient_count; i++) {
		const struct walk_row *at = &gathered.recipients[i];
		struct json j = dump_line("recipient", id);
		struct row_recipient row;

		/* It could be read just now. */
		if (row_recipient_decode(
			&row, at->value.data, at->value.length) == -1)
			continue;
		json_number(&j, "number", at->number);
		fields_write(&j, fields_recipient, &row);
		json_end(&j);
	}
}

/* Of an event: when, and what. */
#define EVENT_FIELDS 2

static void
write_event(struct dump *d, const struct walk_row *at)
{
	struct row_event row;
	struct json j;

	if (row_event_decode(&row, at->value.data, at->value.length) == -1) {
		leave_out(d, "an event of", at->id, "the row is damaged");
		return;
	}
	j = dump_line("event", at->id);
	json_number(&j, "number", at->number);
	fields_write_known(&j, fields_event, &row, EVENT_FIELDS);
	json_end(&j);
	d->event_lines++;
}

static void
dump_message(struct dump *d, uint64_t id, struct bytes value)
{
	const char *why;

	gather_chunks(d, id);
	gather_recipients(d, id);
	if (d->code != EX_OK)
		return;
	why = judge(value);
	if (why != NULL) {
		leave_out(d, "message", id, why);
		return;
	}
	write_message(id);
	write_recipients(id);
	d->message_lines++;
}

/* -- All of them ---------------------------------------------------------- */

static void
begin(struct dump *d, struct walk *w, enum store_table table)
{
	w->store = d->store;
	w->table = table;
	w->left_out = leave_out_key;
	w->context = d;
	walk_begin(w);
}

/* The next id, whether a message has it or only a history. 0: none is left. */
static uint64_t
next_id(struct dump *d)
{
	const struct walk *m = &d->messages, *e = &d->events;

	if (!is_at(d, m, m->here.id) && !is_at(d, e, e->here.id))
		return 0;
	if (d->code != EX_OK)
		return 0;
	if (!m->is_here || (e->is_here && e->here.id < m->here.id))
		return e->here.id;
	return m->here.id;
}

/* Does a damaged page hide any? */
static void
count(struct dump *d)
{
	uint64_t rows;

	if (store_rows(d->store, STORE_MESSAGE, &rows) == -1)
		d->code = tool_fail(d->tool, "cannot read the store");
	else if (rows != d->messages.rows) {
		d->left_out++;
		tool_say("there should be %" PRIu64 " messages, and %" PRIu64
			 " can be found",
		    rows, d->messages.rows);
	}
}

void
dump_messages(struct dump *d)
{
	uint64_t id;

	begin(d, &d->messages, STORE_MESSAGE);
	begin(d, &d->content, STORE_CONTENT);
	begin(d, &d->recipients, STORE_RECIPIENT);
	begin(d, &d->events, STORE_EVENT);
	while ((id = next_id(d)) != 0 && !ferror(stdout)) {
		if (is_at(d, &d->messages, id)) {
			dump_message(d, id, d->messages.here.value);
			walk_next(&d->messages);
		}
		for (; is_at(d, &d->events, id); walk_next(&d->events))
			write_event(d, &d->events.here);
	}
	if (ferror(stdout))
		return;
	pass_over(d, &d->content, UINT64_MAX, "the content of");
	pass_over(d, &d->recipients, UINT64_MAX, "what waits of");
	(void)is_at(d, &d->content, 0);
	(void)is_at(d, &d->recipients, 0);
	if (d->code == EX_OK)
		count(d);
}
