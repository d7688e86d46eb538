/*
 * The rows of a table that are some message's, one by one, in the order of
 * their keys.
 *
 * Nothing is searched for: a key that a disk has changed, and that is out of
 * order now, would hide those beside it, and lead on from where it says that it
 * is. Here such a row is left out, and nothing else.
 */
#ifndef QUEUE_TOOL_WALK_H
#define QUEUE_TOOL_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/store.h"

struct walk_row {
	uint64_t id;
	uint32_t number; /* 0 in the table of messages */
	struct bytes value;
};

struct walk {
	struct store *store;
	enum store_table table;
	/* A row whose key makes no sense, or is out of order, is left out. */
	void (*left_out)(enum store_table, void *context);
	void *context;
	struct walk_row here; /* if `is_here` */
	bool is_here;
	int error;     /* if not, and it is not the end of the table */
	uint64_t rows; /* that have been seen */
	/* For walk.c only: the row behind that. */
	struct walk_row ahead;
	bool is_ahead;
};

/* To the first row, and to the next one, within one read transaction, in which
 * nobody else walks on that table. What is set before: store, table, left_out
 * and context. */
void walk_begin(struct walk *);
void walk_next(struct walk *);

#endif
