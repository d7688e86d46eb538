/*
 * The store: one LMDB environment. One process owns it, and only that one
 * writes; others may look on (store_open_read).
 *
 * At most one transaction is open at a time, and never across turns of the
 * event loop: a write transaction from store_write_begin() to its commit or
 * abort, a read transaction from store_read_begin() to store_read_end(). What
 * reads lend is good until the transaction ends, or, in a write transaction,
 * until the next write. Each table has one cursor: two walks of the same table
 * do not mix.
 *
 * A commit is durable when it returns. If it fails, also in its sync, another
 * may be tried: LMDB writes to no page that the last good commit refers to, and
 * the next commit writes all of its own pages again before it syncs, so that it
 * relies on nothing that the kernel may have dropped. Only a root that could
 * not be written ends in ENOTRECOVERABLE.
 *
 * 0 or -1 with errno: ENOENT no such row,
 * ENOSPC the map or the disk is full, EUCLEAN the file is damaged,
 * ENOTRECOVERABLE it must be opened anew, and what system calls say.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"
#include "queue/store_row.h"

#define STORE_SCHEMA 2

enum store_table {
	STORE_MESSAGE,	   /* id */
	STORE_CONTENT,	   /* id, chunk */
	STORE_RECIPIENT,   /* id, number */
	STORE_DUE,	   /* destination, time, id, number */
	STORE_WAKE,	   /* time, destination */
	STORE_DESTINATION, /* name */
	STORE_EVENT,	   /* id, number */
	STORE_ADDRESS,	   /* address, id */
	STORE_REPORT,	   /* time, id */
	STORE_META,	   /* name */
	STORE_TABLES
};

struct store;

/* Opens or makes the store in an existing directory. EBUSY: another process
 * has it. ENOTSUP: it is of a newer schema than ours. An older one is brought
 * up to ours (store_migrate.h). */
struct store *store_open(const char *directory, uint64_t map_size)
    __attribute__((warn_unused_result));
/* To look only, while its owner works or none does. Never makes or changes
 * anything, and believes any schema: see store_schema(). While a transaction
 * is open here the owner cannot use the pages again that it frees. ENOENT: no
 * store is there. EBUSY: its files are being exchanged. */
struct store *store_open_read(const char *directory)
    __attribute__((warn_unused_result));
/* Likewise a file that store_copy() made and that nobody writes. */
struct store *store_open_copy(const char *file)
    __attribute__((warn_unused_result));
void store_close(struct store **);
/* Between transactions only. */
int store_resize(struct store *, uint64_t map_size)
    __attribute__((warn_unused_result));

int store_write_begin(struct store *) __attribute__((warn_unused_result));
/* The transaction is over also if this fails: then nothing was written. */
int store_write_commit(struct store *) __attribute__((warn_unused_result));
void store_write_abort(struct store *);
int store_read_begin(struct store *) __attribute__((warn_unused_result));
void store_read_end(struct store *);

int store_get(struct store *, enum store_table, const struct row_key *,
    struct bytes *value) __attribute__((warn_unused_result));
/* Adds or replaces. */
int store_put(struct store *, enum store_table, const struct row_key *,
    const void *value, size_t length) __attribute__((warn_unused_result));
/* Adds a row and lends its octets, to be filled before the next write. */
int store_reserve(struct store *, enum store_table, const struct row_key *,
    size_t length, void **value) __attribute__((warn_unused_result));
int store_delete(struct store *, enum store_table, const struct row_key *)
    __attribute__((warn_unused_result));

/* To the first row whose key is not below `from`; then on, row by row. */
int store_seek(struct store *, enum store_table, const struct row_key *from,
    struct bytes *key, struct bytes *value) __attribute__((warn_unused_result));
int store_next(struct store *, enum store_table, struct bytes *key,
    struct bytes *value) __attribute__((warn_unused_result));
/* To the last row whose key is below `before`. */
int store_seek_below(struct store *, enum store_table,
    const struct row_key *before, struct bytes *key, struct bytes *value)
    __attribute__((warn_unused_result));
/* From where the cursor is to the row before. */
int store_back(struct store *, enum store_table, struct bytes *key,
    struct bytes *value) __attribute__((warn_unused_result));
/* Deletes the row that the cursor is at; store_next() then gives the one that
 * followed it. */
int store_delete_here(struct store *, enum store_table)
    __attribute__((warn_unused_result));

/* Is there room to accept so much more? What is asked for is kept in mind
 * until the disk is looked at again, about once a second. Some room is always
 * kept back, so that what frees space can still be written. */
bool store_has_room(struct store *, uint64_t bytes);
/* Likewise in two steps: between transactions it is looked how much there is,
 * and within one it is taken from that, since what that one writes is in no
 * count yet. Nothing is said in the log. */
void store_look_for_room(struct store *);
bool store_take_room(struct store *, uint64_t bytes);

/* In the open transaction. ENOENT or EUCLEAN if there is none. */
int store_schema(struct store *, uint32_t *schema)
    __attribute__((warn_unused_result));
/* How many rows a table has, as LMDB counts. In the open transaction. */
int store_rows(struct store *, enum store_table, uint64_t *rows)
    __attribute__((warn_unused_result));
/* Reads every row of every table, and LMDB's list of free pages: are they all
 * there? EUCLEAN if not; or a signal, if the file ends before a page. Not within
 * a transaction. */
int store_read_all(struct store *) __attribute__((warn_unused_result));
/* Writes a whole copy, as of now, while its owner goes on; `compact`: without
 * free pages, which fails if LMDB has lost any. Not within a transaction. */
int store_copy(struct store *, int fd, bool compact)
    __attribute__((warn_unused_result));
const char *store_table_name(enum store_table);

/* For the statistics: octets of the map in use, and its size. */
void store_usage(struct store *, uint64_t *used, uint64_t *size);

#endif
