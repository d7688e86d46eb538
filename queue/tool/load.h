/*
 * Inside the load of a dump. Nobody else includes this.
 *
 * load.c reads the lines, load_message.c puts a message together of those that
 * are about it, and load_batch.c writes many of them at once. All that return
 * an int return one of sysexits(3), and have said on standard error what is
 * wrong: the load ends there.
 */
#ifndef QUEUE_TOOL_LOAD_H
#define QUEUE_TOOL_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/destination.h"
#include "queue/lifecycle.h"
#include "queue/tool/fields.h"

struct tool;

/* One line, taken apart. */
struct line {
	struct json_member members[DUMP_MEMBERS];
	int count;
	const char *type;
};

struct load {
	const struct tool *tool;
	struct destinations destinations;
	struct lifecycle lifecycle;
	unsigned int number; /* of the line */
	bool begun;
	bool ended;
	/* Of the transaction. */
	struct row_totals before;
	uint64_t octets;
	unsigned int lines;
	uint64_t latest; /* the greatest id so far */
	/* The message that the last lines were about. */
	uint64_t id;   /* 0: none */
	bool is_known; /* here already */
	uint8_t row[ROW_VALUE_SIZE];
	size_t row_length; /* 0: it is history only */
	int fd;		   /* of its content; -1 */
	uint64_t size;	   /* of that, so far */
	uint32_t open;	   /* so many recipients should come; 0: not said */
	uint32_t recipients;
	uint32_t last; /* of their numbers */
	uint32_t events;
	uint64_t rows; /* octets of the rows, and what they take in indexes */
	/* Of the dump. */
	uint64_t loaded;
	uint64_t known;
	uint64_t refused; /* of which damaged rows are here */
	uint64_t event_lines;
};

/* -- What goes wrong (load_batch.c) --------------------------------------- */

/* Says what is wrong with the line that was read last. */
int load_bad_line(const struct load *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Says that the store could not be written, by errno. */
int load_cannot_write(const struct load *);

/* -- Transactions (load_batch.c) ------------------------------------------ */

/* Looks how much room there is, too. */
int load_batch_begin(struct load *) __attribute__((warn_unused_result));
/* The transaction is over also if this fails. */
int load_batch_commit(struct load *) __attribute__((warn_unused_result));
/* Between two messages: a new one, if this one has become large. */
int load_batch_next(struct load *) __attribute__((warn_unused_result));

/* -- Messages (load_message.c) -------------------------------------------- */

/* A line of a message or its history. */
int load_of_message(struct load *, const struct line *)
    __attribute__((warn_unused_result));
/* All lines about the last message have been read. */
int load_finish(struct load *) __attribute__((warn_unused_result));

#endif
