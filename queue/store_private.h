/*
 * Inside the store: store.c (transactions and rows) and store_open.c. Nobody
 * else includes this.
 */
#ifndef QUEUE_STORE_PRIVATE_H
#define QUEUE_STORE_PRIVATE_H

#include <stdbool.h>

#include <lmdb.h>

#include "queue/store.h"
#include "queue/store_room.h"

/* LMDB's own table of free pages, which is never asked for as one of ours. */
#define FREE_PAGES 0
#define NO_TABLE FREE_PAGES

struct store {
	MDB_env *env;
	MDB_dbi tables[STORE_TABLES];
	int lock;
	MDB_txn *write;
	MDB_txn *read; /* kept and renewed */
	bool reading;
	MDB_cursor *write_cursors[STORE_TABLES];
	MDB_cursor *read_cursors[STORE_TABLES];
	bool renewed[STORE_TABLES]; /* of the read cursors, in this
				     * transaction */
	struct store_room room;
};

/* 0 or -1 with errno, of what LMDB answered. */
int store_result(int rc) __attribute__((warn_unused_result));
/* The read transaction, to be ended by the caller; its cursors, which outlive
 * it, are closed. */
MDB_txn *store_take_read(struct store *) __attribute__((warn_unused_result));

#endif
