/*
 * Inside a dump: dump.c writes all of it, dump_message.c a message. Nobody else
 * includes this.
 */
#ifndef QUEUE_TOOL_DUMP_H
#define QUEUE_TOOL_DUMP_H

#include <stdint.h>

#include "queue/tool/json.h"
#include "queue/tool/walk.h"

struct tool;

struct dump {
	const struct tool *tool;
	struct store *store;
	int code; /* of what ended it; EX_OK: nothing has */
	/* Side by side over the ids. */
	struct walk messages;
	struct walk content;
	struct walk recipients;
	struct walk events;
	/* Lines that were written. */
	uint64_t message_lines;
	uint64_t event_lines;
	uint64_t left_out;
};

/* Begins a line on standard output; `id` may be 0: none. */
struct json dump_line(const char *type, uint64_t id);
/* All that is known of messages, also of those that are gone. */
void dump_messages(struct dump *);

#endif
