/*
 * What a dump holds is added to the store, message by message: all of one in
 * one transaction, or nothing. A message that the store knows already, or once
 * knew, is left as it is there: a load that was interrupted can be done again.
 */
#include "queue/tool/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/config.h"
#include "queue/destination_name.h"
#include "queue/pause.h"
#include "queue/store.h"
#include "queue/tool/sound.h"
#include "queue/tool/tool.h"

/* -- What is about no message --------------------------------------------- */

/* Only one that has mail here has a row to keep that in. */
static int
load_destination(struct load *l, const struct line *line)
{
	struct row_destination row = { .waiting = 0 };
	const char *name = fields_text(line->members, line->count, "id");
	const char *bad =
	    fields_read(fields_destination, &row, line->members, line->count);
	struct destination *d;
	int code = load_finish(l);

	if (code != EX_OK)
		return code;
	if (bad != NULL)
		return load_bad_line(
		    l, "destination: \"%s\" is not understood", bad);
	if (name == NULL || !sound_destination(name))
		return load_bad_line(l, "destination: no mail can be for it");
	if (strlen(row.reply) > LIMIT_REPLY)
		return load_bad_line(
		    l, "destination: its fields make no sense");
	d = destination_open(&l->destinations, l->lifecycle.store, name);
	if (d == NULL)
		return load_cannot_write(l);
	destination_change(&l->destinations, d);
	destination_restore(d, row.backoff_until, row.failures, row.reply);
	return EX_OK;
}

/* What is paused here stays so. */
static int
load_pause(struct load *l, const struct line *line)
{
	const char *text = fields_text(line->members, line->count, "id");
	char name[LIMIT_DESTINATION + 1] = "";
	int code = load_finish(l);

	if (code != EX_OK)
		return code;
	if (text == NULL ||
	    (text[0] != '\0' && destination_parse(text, name) == -1))
		return load_bad_line(l, "pause: there is no such destination");
	if (pause_is_set(name))
		return EX_OK;
	if (name[0] != '\0' && pause_is_full())
		return load_bad_line(
		    l, "too many destinations are paused by name");
	if (pause_write(l->lifecycle.store, name, true) == -1)
		return load_cannot_write(l);
	pause_set(name, true);
	return EX_OK;
}

static int
load_beginning(struct load *l, const struct line *line)
{
	const struct json_member *version =
	    fields_number(line->members, line->count, "version");
	const struct json_member *schema =
	    fields_number(line->members, line->count, "schema");

	if (version == NULL || schema == NULL ||
	    strcmp(line->type, DUMP_TYPE) != 0)
		return load_bad_line(l, "this is no dump of a store");
	if (version->number > DUMP_VERSION || schema->number > STORE_SCHEMA)
		return load_bad_line(l, "it was written by a newer postern");
	l->begun = true;
	return EX_OK;
}

static int
load_end(struct load *l, const struct line *line)
{
	const struct json_member *messages =
	    fields_number(line->members, line->count, "messages");
	const struct json_member *events =
	    fields_number(line->members, line->count, "events");
	int code = load_finish(l);

	if (code != EX_OK)
		return code;
	if (messages == NULL || messages->number != l->loaded + l->known)
		return load_bad_line(l, "messages are missing");
	if (events != NULL && events->number != l->event_lines)
		return load_bad_line(l, "events are missing");
	l->ended = true;
	return EX_OK;
}

static int
load_line(struct load *l, char *text)
{
	struct line line;

	l->number++;
	l->lines++;
	line.count = json_read(text, line.members, DUMP_MEMBERS);
	line.type = line.count == -1
			? NULL
			: fields_text(line.members, line.count, "type");
	if (line.type == NULL)
		return load_bad_line(l, "this is no object with a type");
	if (!l->begun)
		return load_beginning(l, &line);
	if (l->ended)
		return load_bad_line(l, "there is more behind the end");
	if (strcmp(line.type, "end") == 0)
		return load_end(l, &line);
	if (strcmp(line.type, "destination") == 0)
		return load_destination(l, &line);
	if (strcmp(line.type, "pause") == 0)
		return load_pause(l, &line);
	return load_of_message(l, &line);
}

/* -- All of it ------------------------------------------------------------ */

static int
load_lines(struct load *l)
{
	static char text[DUMP_LINE];
	int code = EX_OK;

	while (code == EX_OK && fgets(text, sizeof(text), stdin) != NULL) {
		size_t length = strlen(text);

		if (length > 0 && text[length - 1] == '\n')
			code = load_line(l, text);
		else {
			l->number++;
			code = load_bad_line(
			    l, "the line is not whole, or too long");
		}
	}
	if (code == EX_OK && (!l->ended || ferror(stdin)))
		code = load_bad_line(l, "the dump ends before its end");
	return code;
}

static int
load_all(struct load *l)
{
	int code = load_batch_begin(l);

	if (code != EX_OK)
		return code;
	code = load_lines(l);
	if (code == EX_OK)
		return load_batch_commit(l);
	store_write_abort(l->lifecycle.store);
	return code;
}

static int
load_into(struct load *l, struct store *store)
{
	int code;

	l->fd = -1;
	destinations_begin(&l->destinations);
	l->lifecycle.store = store;
	l->lifecycle.destinations = &l->destinations;
	if (store_read_begin(store) == -1)
		return tool_fail(l->tool, "cannot read the store");
	code = lifecycle_begin(&l->lifecycle);
	if (code == 0)
		code = pause_load(store);
	store_read_end(store);
	if (code == -1) {
		errno = EUCLEAN;
		return tool_fail(l->tool, "cannot read the store");
	}
	code = load_all(l);
	destinations_end(&l->destinations);
	if (l->fd != -1)
		close(l->fd);
	if (code == EX_OK)
		printf("%" PRIu64 " messages loaded, %" PRIu64
		       " known already\n",
		    l->loaded, l->known);
	/* It has been said which they are. */
	return code == EX_OK && l->refused > 0 ? EX_DATAERR : code;
}

int
load_work(struct tool *tool)
{
	static struct load load;
	struct store *store =
	    store_open(tool->place, tool->config->limit_store_size);
	int code;

	if (store == NULL)
		return tool_fail(tool, "cannot open the store");
	load.tool = tool;
	code = load_into(&load, store);
	store_close(&store);
	return code;
}
