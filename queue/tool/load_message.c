/*
 * A message of a dump: its row, its content, its recipients and its history,
 * which come as so many lines. Together they are in the store, or none is.
 */
#include "queue/tool/load.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/content.h"
#include "common/id.h"
#include "queue/store.h"
#include "queue/store_content.h"
#include "queue/store_event.h"
#include "queue/tool/sound.h"
#include "queue/tool/tool.h"

/* What a row takes besides its octets: its key, and those of it in the indexes
 * and of its destination. */
#define ROW_OVERHEAD 1024

/* -- The whole of it ------------------------------------------------------ */

static int
check_digest(
    const struct load *l, const struct row_message *row, uint64_t digest)
{
	if (row->digest == 0 || row->digest == digest)
		return EX_OK;
	return load_bad_line(
	    l, "the content of %s has another checksum", id_format(l->id).text);
}

/* From here on it has one. */
static int
put_content(struct load *l, struct row_message *row)
{
	uint64_t digest;
	int code;

	if (l->fd == -1)
		l->fd = content_create();
	if (l->size != row->size)
		return load_bad_line(
		    l, "the content of %s is not whole", id_format(l->id).text);
	if (l->fd == -1 || content_seal(l->fd) == -1 ||
	    store_content_put(
		l->lifecycle.store, l->id, l->fd, row->size, &digest) == -1)
		return load_cannot_write(l);
	code = check_digest(l, row, digest);
	row->digest = digest;
	return code;
}

/* The dump has none of its history; what the message itself says of its coming
 * is where that begins. */
static int
begin_history(struct load *l, const struct row_message *row)
{
	const struct row_event event = {
		.time = row->arrival / 1000,
		.what = EVENT_ACCEPTED,
		.address = "",
		.original = "",
		.sender = row->sender,
		.peer = row->client_address,
		.helo = row->helo,
		.user = row->user,
		.protocol = (uint8_t)(row->protocol + 1),
		.size = row->size,
	};

	return store_event_accepted(l->lifecycle.store, l->id, 0, &event);
}

static int
finish_message(struct load *l)
{
	struct row_message row;
	int code;

	if (row_message_decode(&row, l->row, l->row_length) == -1)
		return load_bad_line(l, "message %s: its fields make no sense",
		    id_format(l->id).text);
	if (l->recipients == 0)
		return load_bad_line(
		    l, "message %s has no recipients", id_format(l->id).text);
	if (l->open != 0 && l->open != l->recipients)
		return load_bad_line(l,
		    "message %s should have %" PRIu32
		    " recipients and has %" PRIu32,
		    id_format(l->id).text, l->open, l->recipients);
	/* A damaged row, or a number, may have said less than there are. */
	if (row.recipients <= l->last)
		row.recipients = l->last + 1;
	row.open = l->recipients;
	code = put_content(l, &row);
	if (code != EX_OK)
		return code;
	if (lifecycle_restore_message(&l->lifecycle, l->id, &row) == -1 ||
	    (l->events == 0 && begin_history(l, &row) == -1))
		return load_cannot_write(l);
	l->loaded++;
	l->octets += row.size;
	return EX_OK;
}

/* As the queue does: what has been filled to the last page could never be
 * emptied again. */
static int
take_room(struct load *l)
{
	if (store_take_room(l->lifecycle.store, l->size + l->rows))
		return EX_OK;
	errno = ENOSPC;
	return load_cannot_write(l);
}

int
load_finish(struct load *l)
{
	int code = EX_OK;

	if (l->id != 0 && !l->is_known)
		code = take_room(l);
	if (code == EX_OK && l->id != 0 && !l->is_known && l->row_length > 0)
		code = finish_message(l);
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
	l->id = 0;
	return code == EX_OK ? load_batch_next(l) : code;
}

/* 1: the table has a row under this id. */
static int
has_row(struct load *l, enum store_table table, uint64_t id)
{
	struct row_key from = row_key_number(id, 0);
	struct bytes key, value;
	uint64_t of;
	uint32_t number;

	if (store_seek(l->lifecycle.store, table, &from, &key, &value) == -1)
		return errno == ENOENT ? 0 : -1;
	return row_key_number_read(key.data, key.length, &of, &number) == 0 &&
	       of == id;
}

/* What is left of a message whose row a disk has taken is not added to. */
static int
look_for_remains(struct load *l, uint64_t id)
{
	int content = has_row(l, STORE_CONTENT, id);
	int recipient = has_row(l, STORE_RECIPIENT, id);

	if (content == -1 || recipient == -1)
		return load_cannot_write(l);
	if (content == 0 && recipient == 0)
		return EX_OK;
	tool_say("message %s is not loaded: the store has damaged rows of it",
	    id_format(id).text);
	l->is_known = true;
	l->refused++;
	return EX_OK;
}

/* A history that is being forgotten has no beginning. */
static int
look_for(struct load *l, uint64_t id)
{
	int history;

	l->is_known = false;
	if (lifecycle_check_new(&l->lifecycle, id) == -1) {
		l->is_known = errno == EEXIST;
		return l->is_known ? EX_OK : load_cannot_write(l);
	}
	history = has_row(l, STORE_EVENT, id);
	if (history == -1)
		return load_cannot_write(l);
	if (history == 0)
		return look_for_remains(l, id);
	l->is_known = true;
	return EX_OK;
}

/* To the message that this line is about. */
static int
turn_to(struct load *l, uint64_t id)
{
	int code;

	if (id == l->id)
		return EX_OK;
	if (id <= l->latest)
		return load_bad_line(l,
		    "%s: the lines of a message are not together, or messages "
		    "not in order",
		    id_format(id).text);
	code = load_finish(l);
	if (code != EX_OK)
		return code;
	l->id = l->latest = id;
	l->row_length = 0;
	l->size = 0;
	l->open = 0;
	l->recipients = 0;
	l->events = 0;
	l->rows = 0;
	return look_for(l, id);
}

/* -- Lines ---------------------------------------------------------------- */

static int
load_row(struct load *l, const struct line *line)
{
	struct row_message row = { .arrival = 0 };
	const char *bad =
	    fields_read(fields_message, &row, line->members, line->count);

	if (bad != NULL)
		return load_bad_line(
		    l, "message: \"%s\" is not understood", bad);
	if (l->row_length > 0)
		return load_bad_line(l, "the message has come before");
	l->open = row.open;
	if (row.recipients < row.open)
		row.recipients = row.open;
	l->row_length = row_message_encode(&row, l->row);
	l->rows += l->row_length + ROW_OVERHEAD;
	return l->row_length > 0 ? EX_OK
				 : load_bad_line(l, "a text is too long");
}

/* What nobody claims would be left in the store. */
static int
before_its_message(const struct load *l)
{
	return load_bad_line(l, "its message is missing");
}

static int
load_content(struct load *l, const struct line *line)
{
	const char *data = fields_text(line->members, line->count, "data");
	size_t length;

	/* The line is ours. */
	if (l->row_length == 0)
		return before_its_message(l);
	if (data == NULL ||
	    json_decode_octets((char *)(uintptr_t)data, &length) == -1)
		return load_bad_line(l, "the content is not base64");
	if (l->size + length > LIMIT_CONTENT_SIZE_MOST)
		return load_bad_line(l, "the message is too large");
	if (l->fd == -1)
		l->fd = content_create();
	if (l->fd == -1 || content_write(l->fd, data, length) == -1) {
		tool_say("content: %s", strerror(errno));
		return EX_OSERR;
	}
	l->size += length;
	return EX_OK;
}

static int
read_number(const struct load *l, const struct line *line, uint32_t *number)
{
	const struct json_member *m =
	    fields_number(line->members, line->count, "number");

	if (m == NULL || m->number > UINT32_MAX)
		return load_bad_line(l, "there is no number");
	*number = (uint32_t)m->number;
	return EX_OK;
}

static int
load_recipient(struct load *l, const struct line *line)
{
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_recipient row = { .kind = 0 };
	const char *bad =
	    fields_read(fields_recipient, &row, line->members, line->count);
	uint32_t number = 0;
	size_t length;
	int code;

	if (l->row_length == 0)
		return before_its_message(l);
	if (bad != NULL)
		return load_bad_line(
		    l, "recipient: \"%s\" is not understood", bad);
	code = read_number(l, line, &number);
	if (code != EX_OK)
		return code;
	if (l->recipients > 0 && number <= l->last)
		return load_bad_line(
		    l, "recipient: its number is not above the last");
	l->last = number;
	/* What is due at no time would never be tried. */
	if (row.due == 0)
		row.due = 1;
	/* As any row of the store is judged. */
	length = row_recipient_encode(&row, octets);
	if (row_recipient_decode(&row, octets, length) == -1 ||
	    !sound_recipient(number, &row))
		return load_bad_line(l, "recipient: its fields make no sense");
	l->rows += length + ROW_OVERHEAD;
	if (lifecycle_restore_recipient(&l->lifecycle, l->id, number, &row) ==
	    -1)
		return load_cannot_write(l);
	l->recipients++;
	return EX_OK;
}

/* They are numbered anew: one that was damaged, and left out of the dump,
 * leaves no gap. */
static int
load_event(struct load *l, const struct line *line)
{
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_event row = { .time = 0 };
	const char *bad =
	    fields_read(fields_event, &row, line->members, line->count);
	size_t length;

	if (bad != NULL)
		return load_bad_line(l, "event: \"%s\" is not understood", bad);
	length = row_event_encode(&row, octets);
	if (row_event_decode(&row, octets, length) == -1)
		return load_bad_line(l, "event: its fields make no sense");
	l->rows += length + ROW_OVERHEAD;
	if (store_event_restore(l->lifecycle.store, l->id, l->events, &row) ==
	    -1)
		return load_cannot_write(l);
	l->events++;
	return EX_OK;
}

static const struct {
	const char *type;
	int (*load)(struct load *, const struct line *);
} types[] = {
	{ "message", load_row },
	{ "content", load_content },
	{ "recipient", load_recipient },
	{ "event", load_event },
};

int
load_of_message(struct load *l, const struct line *line)
{
	const char *id_text = fields_text(line->members, line->count, "id");
	uint64_t id;
	int code;

	if (id_text == NULL || id_parse(id_text, &id) == -1 || id == UINT64_MAX)
		return load_bad_line(l, "there is no id");
	code = turn_to(l, id);
	l->event_lines += strcmp(line->type, "event") == 0;
	if (code == EX_OK && l->is_known)
		l->known += strcmp(line->type, "message") == 0;
	if (code != EX_OK || l->is_known)
		return code;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].type, line->type) == 0)
			return types[i].load(l, line);
	return load_bad_line(l, "\"%s\" is not understood", line->type);
}
