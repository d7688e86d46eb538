/*
 * What a dump holds is added to the store, message by message: all of one in
 * one transaction, or nothing. A message that the store knows already, or once
 * knew, is left as it is there: a load that was interrupted can be done again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/config.h"
#include "common/content.h"
#include "common/id.h"
#include "queue/destination.h"
#include "queue/destination_name.h"
#include "queue/lifecycle.h"
#include "queue/pause.h"
#include "queue/store.h"
#include "queue/store_content.h"
#include "queue/store_event.h"
#include "queue/tool/fields.h"
#include "queue/tool/tool.h"

/* Of one transaction: its pages are in memory until it is committed. */
#define BATCH_OCTETS (UINT64_C(16) * 1024 * 1024)
#define BATCH_LINES 4000

/* One line, taken apart. */
struct line {
	struct json_member members[DUMP_MEMBERS];
	int count;
	const char *type;
};

static struct {
	const struct tool *tool;
	struct destinations destinations;
	struct lifecycle lifecycle;
	struct row_totals before; /* of the transaction */
	unsigned int number;	  /* of the line */
	uint64_t octets;	  /* of the transaction */
	unsigned int lines;
	bool begun;
	bool ended;
	/* The message that the last lines were about. */
	uint64_t id;   /* 0: none */
	bool is_known; /* here already */
	uint8_t row[ROW_VALUE_SIZE];
	size_t row_length; /* 0: it is history only */
	int fd;		   /* of its content; -1 */
	uint64_t size;	   /* of that, so far */
	uint32_t recipients;
	uint32_t last; /* of their numbers */
	uint32_t events;
	uint64_t loaded;
	uint64_t known; /* messages that were */
} state;

/* -- What goes wrong ------------------------------------------------------ */

static int bad_line(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static int
bad_line(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "postern-store: line %u: ", state.number);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return EX_DATAERR;
}

static int
cannot_write(void)
{
	if (errno != ENOSPC)
		return tool_fail(state.tool, "cannot write the store");
	tool_say("the store or its disk is full; what was loaded by now stays, "
		 "and is passed over when the load is done again");
	return EX_IOERR;
}

/* -- Transactions --------------------------------------------------------- */

static void
forget_destinations(void)
{
	destinations_end(&state.destinations);
	destinations_begin(&state.destinations);
}

static int
begin(void)
{
	state.before = state.lifecycle.totals;
	state.octets = 0;
	state.lines = 0;
	return store_write_begin(state.lifecycle.store) == -1 ? cannot_write()
							      : EX_OK;
}

static int
commit(void)
{
	struct lifecycle *l = &state.lifecycle;

	if (destinations_flush(
		l->destinations, l->store, (uint64_t)time(NULL)) == -1 ||
	    lifecycle_write_totals(l, &state.before) == -1) {
		store_write_abort(l->store);
		return cannot_write();
	}
	if (store_write_commit(l->store) == -1)
		return cannot_write();
	forget_destinations();
	return EX_OK;
}

/* -- One message ---------------------------------------------------------- */

static int
check_digest(const struct row_message *row, uint64_t digest)
{
	if (row->digest == 0 || row->digest == digest)
		return EX_OK;
	return bad_line(
	    "the content of %s has another checksum", id_format(state.id).text);
}

/* From here on it has one. */
static int
put_content(struct row_message *row)
{
	struct lifecycle *l = &state.lifecycle;
	uint64_t digest;
	int code;

	if (state.fd == -1)
		state.fd = content_create();
	if (state.size != row->size)
		return bad_line(
		    "the content of %s is not whole", id_format(state.id).text);
	if (state.fd == -1 || content_seal(state.fd) == -1 ||
	    store_content_put(
		l->store, state.id, state.fd, row->size, &digest) == -1)
		return cannot_write();
	code = check_digest(row, digest);
	row->digest = digest;
	return code;
}

/* The dump has none of its history; what the message itself says of its coming
 * is where that begins. */
static int
begin_history(const struct row_message *row)
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

	return store_event_accepted(state.lifecycle.store, state.id, 0, &event);
}

static int
finish_message(void)
{
	struct row_message row;
	int code;

	if (row_message_decode(&row, state.row, state.row_length) == -1)
		return bad_line("message %s: its fields make no sense",
		    id_format(state.id).text);
	if (state.recipients == 0 || state.recipients > LIMIT_EXPANSION)
		return bad_line("message %s has too few or too many recipients",
		    id_format(state.id).text);
	/* A damaged row may have said less than there are. */
	if (row.recipients < state.recipients)
		row.recipients = state.recipients;
	row.open = state.recipients;
	code = put_content(&row);
	if (code != EX_OK)
		return code;
	if (lifecycle_restore_message(&state.lifecycle, state.id, &row) == -1 ||
	    (state.events == 0 && begin_history(&row) == -1))
		return cannot_write();
	state.loaded++;
	state.octets += row.size;
	return EX_OK;
}

/* All lines about the last message have been read. */
static int
finish(void)
{
	int code = EX_OK;

	if (state.id != 0 && !state.is_known && state.row_length > 0)
		code = finish_message();
	if (state.fd != -1)
		close(state.fd);
	state.fd = -1;
	state.id = 0;
	if (code != EX_OK ||
	    (state.octets < BATCH_OCTETS && state.lines < BATCH_LINES))
		return code;
	code = commit();
	return code == EX_OK ? begin() : code;
}

/* -- Lines ---------------------------------------------------------------- */

/* To the message that this line is about. */
static int
turn_to(uint64_t id)
{
	int code;

	if (id == state.id)
		return EX_OK;
	code = finish();
	if (code != EX_OK)
		return code;
	state.id = id;
	state.row_length = 0;
	state.size = 0;
	state.recipients = 0;
	state.events = 0;
	state.is_known = false;
	if (lifecycle_check_new(&state.lifecycle, id) == 0)
		return EX_OK;
	if (errno != EEXIST)
		return cannot_write();
	state.is_known = true;
	return EX_OK;
}

static int
load_message(const struct line *line)
{
	struct row_message row = { .arrival = 0 };
	const char *bad =
	    fields_read(fields_message, &row, line->members, line->count);

	if (bad != NULL)
		return bad_line("message: \"%s\" is not understood", bad);
	if (state.row_length > 0)
		return bad_line("the message has come before");
	state.row_length = row_message_encode(&row, state.row);
	return state.row_length > 0 ? EX_OK : bad_line("a text is too long");
}

static int
load_content(const struct line *line)
{
	const char *data = fields_text(line->members, line->count, "data");
	size_t length;

	/* The line is ours. */
	if (data == NULL ||
	    json_decode_octets((char *)(uintptr_t)data, &length) == -1)
		return bad_line("the content is not base64");
	if (state.size + length > LIMIT_CONTENT_SIZE_MOST)
		return bad_line("the message is too large");
	if (state.fd == -1)
		state.fd = content_create();
	if (state.fd == -1 || content_write(state.fd, data, length) == -1) {
		tool_say("content: %s", strerror(errno));
		return EX_OSERR;
	}
	state.size += length;
	return EX_OK;
}

static int
read_number(const struct line *line, uint32_t *number)
{
	const struct json_member *m =
	    fields_number(line->members, line->count, "number");

	if (m == NULL || m->number > UINT32_MAX)
		return bad_line("there is no number");
	*number = (uint32_t)m->number;
	return EX_OK;
}

static int
load_recipient(const struct line *line)
{
	uint8_t octets[ROW_VALUE_SIZE];
	char as_written[LIMIT_DESTINATION + 1];
	struct row_recipient row = { .kind = 0 };
	const char *bad =
	    fields_read(fields_recipient, &row, line->members, line->count);
	uint32_t number = 0;
	int code;

	if (bad != NULL)
		return bad_line("recipient: \"%s\" is not understood", bad);
	code = read_number(line, &number);
	if (code != EX_OK)
		return code;
	if (state.recipients > 0 && number <= state.last)
		return bad_line("recipient: its number is not above the last");
	state.last = number;
	/* As any row of the store is judged. */
	if (row_recipient_decode(
		&row, octets, row_recipient_encode(&row, octets)) == -1 ||
	    destination_parse(row.destination, as_written) == -1 ||
	    strcmp(as_written, row.destination) != 0)
		return bad_line("recipient: its fields make no sense");
	if (lifecycle_restore_recipient(
		&state.lifecycle, state.id, number, &row) == -1)
		return cannot_write();
	state.recipients++;
	return EX_OK;
}

/* They are numbered anew: one that was damaged, and left out of the dump,
 * leaves no gap. */
static int
load_event(const struct line *line)
{
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_event row = { .time = 0 };
	const char *bad =
	    fields_read(fields_event, &row, line->members, line->count);

	if (bad != NULL)
		return bad_line("event: \"%s\" is not understood", bad);
	if (row_event_decode(&row, octets, row_event_encode(&row, octets)) ==
	    -1)
		return bad_line("event: its fields make no sense");
	if (store_event_restore(
		state.lifecycle.store, state.id, state.events, &row) == -1)
		return cannot_write();
	state.events++;
	return EX_OK;
}

/* Only one that has mail here has a row to keep that in. */
static int
load_destination(const struct line *line)
{
	struct row_destination row = { .waiting = 0 };
	const char *name = fields_text(line->members, line->count, "id");
	char as_written[LIMIT_DESTINATION + 1];
	const char *bad =
	    fields_read(fields_destination, &row, line->members, line->count);
	struct destination *d;
	int code = finish();

	if (code != EX_OK)
		return code;
	if (bad != NULL)
		return bad_line("destination: \"%s\" is not understood", bad);
	if (name == NULL || destination_parse(name, as_written) == -1 ||
	    strcmp(as_written, name) != 0)
		return bad_line("destination: no mail can be for it");
	if (strlen(row.reply) > LIMIT_REPLY)
		return bad_line("destination: its fields make no sense");
	d = destination_open(&state.destinations, state.lifecycle.store, name);
	if (d == NULL)
		return cannot_write();
	destination_change(&state.destinations, d);
	destination_restore(d, row.backoff_until, row.failures, row.reply);
	return EX_OK;
}

/* What is paused here stays so. */
static int
load_pause(const struct line *line)
{
	const char *text = fields_text(line->members, line->count, "id");
	char name[LIMIT_DESTINATION + 1] = "";
	int code = finish();

	if (code != EX_OK)
		return code;
	if (text == NULL ||
	    (text[0] != '\0' && destination_parse(text, name) == -1))
		return bad_line("pause: there is no such destination");
	if (pause_is_set(name))
		return EX_OK;
	if (name[0] != '\0' && pause_is_full())
		return bad_line("too many destinations are paused by name");
	if (pause_write(state.lifecycle.store, name, true) == -1)
		return cannot_write();
	pause_set(name, true);
	return EX_OK;
}

static int
load_beginning(const struct line *line)
{
	const struct json_member *version =
	    fields_number(line->members, line->count, "version");
	const struct json_member *schema =
	    fields_number(line->members, line->count, "schema");

	if (version == NULL || schema == NULL ||
	    strcmp(line->type, DUMP_TYPE) != 0)
		return bad_line("this is no dump of a store");
	if (version->number > DUMP_VERSION || schema->number > STORE_SCHEMA)
		return bad_line("it was written by a newer postern");
	state.begun = true;
	return EX_OK;
}

static int
load_end(const struct line *line)
{
	const struct json_member *messages =
	    fields_number(line->members, line->count, "messages");
	int code = finish();

	if (code != EX_OK)
		return code;
	if (messages == NULL || messages->number != state.loaded + state.known)
		return bad_line("messages are missing");
	state.ended = true;
	return EX_OK;
}

static const struct {
	const char *type;
	int (*load)(const struct line *);
} types[] = {
	{ "message", load_message },
	{ "content", load_content },
	{ "recipient", load_recipient },
	{ "event", load_event },
};

static int
load_of_message(const struct line *line)
{
	const char *id_text = fields_text(line->members, line->count, "id");
	uint64_t id;
	int code;

	if (id_text == NULL || id_parse(id_text, &id) == -1 || id == UINT64_MAX)
		return bad_line("there is no id");
	code = turn_to(id);
	if (code == EX_OK && state.is_known)
		state.known += strcmp(line->type, "message") == 0;
	if (code != EX_OK || state.is_known)
		return code;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].type, line->type) == 0)
			return types[i].load(line);
	return bad_line("\"%s\" is not understood", line->type);
}

static int
load_line(char *text)
{
	struct line line;

	state.number++;
	state.lines++;
	line.count = json_read(text, line.members, DUMP_MEMBERS);
	line.type = line.count == -1
			? NULL
			: fields_text(line.members, line.count, "type");
	if (line.type == NULL)
		return bad_line("this is no object with a type");
	if (!state.begun)
		return load_beginning(&line);
	if (state.ended)
		return bad_line("there is more behind the end");
	if (strcmp(line.type, "end") == 0)
		return load_end(&line);
	if (strcmp(line.type, "destination") == 0)
		return load_destination(&line);
	if (strcmp(line.type, "pause") == 0)
		return load_pause(&line);
	return load_of_message(&line);
}

/* -- All of it ------------------------------------------------------------ */

static int
load_lines(void)
{
	static char text[DUMP_LINE];
	int code = EX_OK;

	while (code == EX_OK && fgets(text, sizeof(text), stdin) != NULL) {
		size_t length = strlen(text);

		if (length > 0 && text[length - 1] == '\n')
			code = load_line(text);
		else {
			state.number++;
			code = bad_line("the line is not whole, or too long");
		}
	}
	if (code == EX_OK && (!state.ended || ferror(stdin)))
		code = bad_line("the dump ends before its end");
	return code;
}

static int
load_all(void)
{
	int code = begin();

	if (code != EX_OK)
		return code;
	code = load_lines();
	if (code == EX_OK)
		return commit();
	store_write_abort(state.lifecycle.store);
	return code;
}

static int
load_into(struct store *store)
{
	int code;

	state.fd = -1;
	destinations_begin(&state.destinations);
	state.lifecycle.store = store;
	state.lifecycle.destinations = &state.destinations;
	if (store_read_begin(store) == -1)
		return tool_fail(state.tool, "cannot read the store");
	code = lifecycle_begin(&state.lifecycle);
	if (code == 0)
		code = pause_load(store);
	store_read_end(store);
	if (code == -1) {
		errno = EUCLEAN;
		return tool_fail(state.tool, "cannot read the store");
	}
	code = load_all();
	destinations_end(&state.destinations);
	if (state.fd != -1)
		close(state.fd);
	if (code == EX_OK)
		printf("%" PRIu64 " messages loaded, %" PRIu64
		       " known already\n",
		    state.loaded, state.known);
	return code;
}

int
load_work(struct tool *tool)
{
	struct store *store =
	    store_open(tool->place, tool->config->limit_store_size);
	int code;

	if (store == NULL)
		return tool_fail(tool, "cannot open the store");
	state.tool = tool;
	code = load_into(store);
	store_close(&store);
	return code;
}
