/* Transactions, and rows in them. */
#include "queue/store.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "queue/store_private.h"

int
store_result(int rc)
{
	if (rc == MDB_SUCCESS)
		return 0;
	if (rc > 0)
		errno = rc;
	else if (rc == MDB_NOTFOUND)
		errno = ENOENT;
	else if (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL)
		errno = ENOSPC;
	else if (rc == MDB_PANIC)
		errno = ENOTRECOVERABLE;
	else if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ||
		 rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH ||
		 rc == MDB_INCOMPATIBLE)
		errno = EUCLEAN;
	else
		errno = EIO;
	return -1;
}

static MDB_txn *
transaction(const struct store *s)
{
	assert(s->write != NULL || s->reading);
	return s->write != NULL ? s->write : s->read;
}

static MDB_val
value_of(const void *data, size_t length)
{
	return (MDB_val){ length, (void *)(uintptr_t)data };
}

static struct bytes
bytes_of(const MDB_val *value)
{
	return (struct bytes){ value->mv_data, value->mv_size };
}

/* -- Transactions --------------------------------------------------------- */

int
store_resize(struct store *s, uint64_t map_size)
{
	assert(s->write == NULL && !s->reading);
	return store_result(mdb_env_set_mapsize(s->env, (size_t)map_size));
}

int
store_write_begin(struct store *s)
{
	assert(s->write == NULL && !s->reading);
	return store_result(mdb_txn_begin(s->env, NULL, 0, &s->write));
}

/* LMDB closes the cursors of a write transaction together with it. */
static MDB_txn *
take_write(struct store *s)
{
	MDB_txn *write = s->write;

	s->write = NULL;
	memset(s->write_cursors, 0, sizeof(s->write_cursors));
	return write;
}

int
store_write_commit(struct store *s)
{
	return store_result(mdb_txn_commit(take_write(s)));
}

void
store_write_abort(struct store *s)
{
	if (s->write != NULL)
		mdb_txn_abort(take_write(s));
}

/* Cursors of a read transaction outlive it. */
MDB_txn *
store_take_read(struct store *s)
{
	MDB_txn *read = s->read;

	for (unsigned int i = 0; i < STORE_TABLES; i++)
		if (s->read_cursors[i] != NULL)
			mdb_cursor_close(s->read_cursors[i]);
	memset(s->read_cursors, 0, sizeof(s->read_cursors));
	s->read = NULL;
	return read;
}

static int
begin_read(struct store *s)
{
	if (s->read == NULL)
		return mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->read);
	return mdb_txn_renew(s->read);
}

int
store_read_begin(struct store *s)
{
	int rc;

	assert(s->write == NULL && !s->reading);
	rc = begin_read(s);
	/* The owner has made it larger. */
	if (rc == MDB_MAP_RESIZED) {
		rc = mdb_env_set_mapsize(s->env, 0);
		if (rc == 0)
			rc = begin_read(s);
	}
	if (store_result(rc) == -1)
		return -1;
	s->reading = true;
	memset(s->renewed, 0, sizeof(s->renewed));
	return 0;
}

void
store_read_end(struct store *s)
{
	mdb_txn_reset(s->read);
	s->reading = false;
}

/* -- Rows ----------------------------------------------------------------- */

int
store_get(struct store *s, enum store_table table, const struct row_key *key,
    struct bytes *value)
{
	MDB_val k = value_of(key->octets, key->length), v;

	if (s->tables[table] == NO_TABLE) {
		errno = ENOENT;
		return -1;
	}
	if (store_result(mdb_get(transaction(s), s->tables[table], &k, &v)) ==
	    -1)
		return -1;
	*value = bytes_of(&v);
	return 0;
}

int
store_put(struct store *s, enum store_table table, const struct row_key *key,
    const void *value, size_t length)
{
	MDB_val k = value_of(key->octets, key->length);
	MDB_val v = value_of(value, length);

	return store_result(mdb_put(s->write, s->tables[table], &k, &v, 0));
}

int
store_reserve(struct store *s, enum store_table table,
    const struct row_key *key, size_t length, void **value)
{
	MDB_val k = value_of(key->octets, key->length);
	MDB_val v = { length, NULL };

	if (store_result(
		mdb_put(s->write, s->tables[table], &k, &v, MDB_RESERVE)) == -1)
		return -1;
	*value = v.mv_data;
	return 0;
}

int
store_delete(struct store *s, enum store_table table, const struct row_key *key)
{
	MDB_val k = value_of(key->octets, key->length);

	return store_result(mdb_del(s->write, s->tables[table], &k, NULL));
}

/* The table's cursor in the open transaction. */
static MDB_cursor *
cursor_of(struct store *s, enum store_table table)
{
	MDB_cursor **cursor = s->write != NULL ? &s->write_cursors[table]
					       : &s->read_cursors[table];
	int rc = MDB_SUCCESS;

	if (s->tables[table] == NO_TABLE) {
		errno = ENOENT;
		return NULL;
	}
	if (*cursor == NULL)
		rc = mdb_cursor_open(transaction(s), s->tables[table], cursor);
	else if (s->write == NULL && !s->renewed[table])
		rc = mdb_cursor_renew(s->read, *cursor);
	if (s->write == NULL)
		s->renewed[table] = true;
	return store_result(rc) == -1 ? NULL : *cursor;
}

static int
move(struct store *s, enum store_table table, MDB_cursor_op how, MDB_val *k,
    struct bytes *key, struct bytes *value)
{
	MDB_cursor *cursor = cursor_of(s, table);
	MDB_val v;

	if (cursor == NULL ||
	    store_result(mdb_cursor_get(cursor, k, &v, how)) == -1)
		return -1;
	*key = bytes_of(k);
	*value = bytes_of(&v);
	return 0;
}

int
store_seek(struct store *s, enum store_table table, const struct row_key *from,
    struct bytes *key, struct bytes *value)
{
	MDB_val k = value_of(from->octets, from->length);

	return move(s, table, MDB_SET_RANGE, &k, key, value);
}

int
store_next(struct store *s, enum store_table table, struct bytes *key,
    struct bytes *value)
{
	MDB_val k;

	return move(s, table, MDB_NEXT, &k, key, value);
}

int
store_back(struct store *s, enum store_table table, struct bytes *key,
    struct bytes *value)
{
	MDB_val k;

	return move(s, table, MDB_PREV, &k, key, value);
}

int
store_seek_below(struct store *s, enum store_table table,
    const struct row_key *before, struct bytes *key, struct bytes *value)
{
	MDB_val k = value_of(before->octets, before->length);

	if (move(s, table, MDB_SET_RANGE, &k, key, value) == 0)
		return move(s, table, MDB_PREV, &k, key, value);
	return errno == ENOENT ? move(s, table, MDB_LAST, &k, key, value) : -1;
}

int
store_delete_here(struct store *s, enum store_table table)
{
	MDB_cursor *cursor = cursor_of(s, table);

	return cursor == NULL ? -1 : store_result(mdb_cursor_del(cursor, 0));
}

/* -- All of it ------------------------------------------------------------ */

int
store_rows(struct store *s, enum store_table table, uint64_t *rows)
{
	MDB_stat stat = { .ms_entries = 0 };

	if (s->tables[table] != NO_TABLE &&
	    store_result(mdb_stat(transaction(s), s->tables[table], &stat)) ==
		-1)
		return -1;
	*rows = stat.ms_entries;
	return 0;
}

/* The last octet of a value is on its last page. */
static uint64_t
touch(const MDB_val *value)
{
	const volatile uint8_t *octets = value->mv_data;

	return value->mv_size > 0 ? octets[value->mv_size - 1] : 0;
}

static int
read_table(struct store *s, MDB_dbi table)
{
	MDB_cursor *cursor;
	MDB_stat stat;
	MDB_val key, value;
	uint64_t rows = 0;
	int rc = mdb_stat(s->read, table, &stat);

	if (rc == 0)
		rc = mdb_cursor_open(s->read, table, &cursor);
	if (rc != 0)
		return store_result(rc);
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		(void)touch(&value);
		rows++;
	}
	mdb_cursor_close(cursor);
	if (rc == MDB_NOTFOUND && rows != stat.ms_entries)
		rc = MDB_CORRUPTED;
	return rc == MDB_NOTFOUND ? 0 : store_result(rc);
}

int
store_read_all(struct store *s)
{
	int result;

	if (store_read_begin(s) == -1)
		return -1;
	result = read_table(s, FREE_PAGES);
	for (unsigned int i = 0; i < STORE_TABLES && result == 0; i++)
		if (s->tables[i] != NO_TABLE)
			result = read_table(s, s->tables[i]);
	store_read_end(s);
	return result;
}

int
store_copy(struct store *s, int fd, bool compact)
{
	/* LMDB begins a transaction of its own, which must see all of it. */
	if (store_read_begin(s) == -1)
		return -1;
	store_read_end(s);
	return store_result(
	    mdb_env_copyfd2(s->env, fd, compact ? MDB_CP_COMPACT : 0));
}

bool
store_has_room(struct store *s, uint64_t bytes)
{
	return store_room_ask(&s->room, s->env, bytes);
}

void
store_look_for_room(struct store *s)
{
	assert(s->write == NULL && !s->reading);
	store_room_look(&s->room, s->env);
}

bool
store_take_room(struct store *s, uint64_t bytes)
{
	return store_room_take(&s->room, bytes);
}

void
store_usage(struct store *s, uint64_t *used, uint64_t *size)
{
	store_room_usage(s->env, used, size);
}
