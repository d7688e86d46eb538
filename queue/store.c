#include "queue/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "queue/store_lock.h"
#include "queue/store_memory.h"
#include "queue/store_migrate.h"
#include "queue/store_room.h"

/* Of the lock table in the file; the queue uses one, the others are for tools. */
#define READERS 16

/* LMDB's own table of free pages, which is never asked for as one of ours. */
#define NO_TABLE 0

static const char *const names[STORE_TABLES] = {
	[STORE_MESSAGE] = "message",
	[STORE_CONTENT] = "content",
	[STORE_RECIPIENT] = "recipient",
	[STORE_DUE] = "due",
	[STORE_WAKE] = "wake",
	[STORE_DESTINATION] = "destination",
	[STORE_EVENT] = "event",
	[STORE_ADDRESS] = "address",
	[STORE_REPORT] = "report",
	[STORE_META] = "meta",
};

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

static int
result_of(int rc)
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

/* 0: the size that the file says. */
static int
open_environment(
    struct store *s, const char *path, uint64_t map_size, unsigned int flags)
{
	int rc = mdb_env_create(&s->env);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(s->env, STORE_TABLES);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(s->env, READERS);
	if (rc == 0 && map_size != 0)
		rc = mdb_env_set_mapsize(s->env, (size_t)map_size);
	if (rc == 0)
		rc = mdb_env_open(
		    s->env, path, flags | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	return result_of(rc);
}

static int
open_tables(struct store *s)
{
	for (unsigned int i = 0; i < STORE_TABLES; i++)
		if (result_of(mdb_dbi_open(
			s->write, names[i], MDB_CREATE, &s->tables[i])) == -1)
			return -1;
	return 0;
}

static int
write_schema(struct store *s, const struct row_key *key)
{
	uint8_t value[4];
	struct wire_writer w = { .data = value, .size = sizeof(value) };

	wire_put_u32(&w, STORE_SCHEMA);
	return store_put(s, STORE_META, key, value, w.length);
}

int
store_schema(struct store *s, uint32_t *schema)
{
	struct row_key key = row_key_text("schema");
	struct bytes value;
	struct wire_reader r;

	if (store_get(s, STORE_META, &key, &value) == -1)
		return -1;
	r = (struct wire_reader){ .data = value.data, .size = value.length };
	*schema = wire_get_u32(&r);
	if (wire_done(&r))
		return 0;
	errno = EUCLEAN;
	return -1;
}

static int
check_schema(struct store *s)
{
	struct row_key key = row_key_text("schema");
	struct row_key first = { .length = 1 };
	struct bytes k, value;
	uint32_t schema;

	if (store_schema(s, &schema) == -1) {
		if (errno != ENOENT)
			return -1;
		if (store_seek(s, STORE_MESSAGE, &first, &k, &value) == 0) {
			errno = EUCLEAN;
			return -1;
		}
		return write_schema(s, &key);
	}
	if (schema == STORE_SCHEMA)
		return 0;
	return store_migrate(s, schema) == -1 ? -1 : write_schema(s, &key);
}

static int
prepare(struct store *s)
{
	if (store_write_begin(s) == -1)
		return -1;
	if (open_tables(s) == -1 || check_schema(s) == -1) {
		store_write_abort(s);
		return -1;
	}
	return store_write_commit(s);
}

/* Cursors of a read transaction outlive it. */
static MDB_txn *
take_read(struct store *s)
{
	MDB_txn *read = s->read;

	for (unsigned int i = 0; i < STORE_TABLES; i++)
		if (s->read_cursors[i] != NULL)
			mdb_cursor_close(s->read_cursors[i]);
	memset(s->read_cursors, 0, sizeof(s->read_cursors));
	s->read = NULL;
	return read;
}

void
store_close(struct store **pointer)
{
	struct store *s = *pointer;

	*pointer = NULL;
	if (s == NULL)
		return;
	store_write_abort(s);
	if (s->read != NULL)
		mdb_txn_abort(take_read(s));
	if (s->env != NULL)
		mdb_env_close(s->env);
	if (s->lock != -1)
		close(s->lock);
	free(s);
}

static struct store *
store_new(void)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->lock = -1;
	return s;
}

static struct store *
give_up(struct store *s)
{
	int error = errno;

	store_close(&s);
	errno = error;
	return NULL;
}

struct store *
store_open(const char *directory, uint64_t map_size)
{
	struct store *s = store_new();

	if (s == NULL)
		return NULL;
	s->lock = store_lock(directory, STORE_LOCK_OWNER);
	if (s->lock == -1 || store_forget_memory(directory) == -1 ||
	    open_environment(s, directory, map_size, 0) == -1)
		return give_up(s);
	if (prepare(s) == -1)
		return give_up(s);
	store_room_begin(&s->room, s->env);
	return s;
}

/* -- To look only --------------------------------------------------------- */

/* A table that another schema did not have is empty; that of the schema itself
 * is in every store. The handles last beyond the transaction only if it is
 * committed. */
static int
open_tables_to_read(struct store *s)
{
	if (store_read_begin(s) == -1)
		return -1;
	for (unsigned int i = 0; i < STORE_TABLES; i++) {
		if (result_of(
			mdb_dbi_open(s->read, names[i], 0, &s->tables[i])) == 0)
			continue;
		if (errno != ENOENT || i == STORE_META)
			return -1;
		s->tables[i] = NO_TABLE;
	}
	s->reading = false;
	return result_of(mdb_txn_commit(take_read(s)));
}

static struct store *
open_to_read(struct store *s, const char *path, unsigned int flags)
{
	if (open_environment(s, path, 0, MDB_RDONLY | flags) == -1 ||
	    open_tables_to_read(s) == -1)
		return give_up(s);
	return s;
}

struct store *
store_open_read(const char *directory)
{
	struct store *s = store_new();

	if (s == NULL)
		return NULL;
	s->lock = store_lock(directory, STORE_LOCK_READER);
	return s->lock == -1 ? give_up(s) : open_to_read(s, directory, 0);
}

struct store *
store_open_copy(const char *file)
{
	struct store *s = store_new();

	return s == NULL ? NULL
			 : open_to_read(s, file, MDB_NOSUBDIR | MDB_NOLOCK);
}

int
store_rows(struct store *s, enum store_table table, uint64_t *rows)
{
	MDB_stat stat = { .ms_entries = 0 };

	if (s->tables[table] != NO_TABLE &&
	    result_of(mdb_stat(transaction(s), s->tables[table], &stat)) == -1)
		return -1;
	*rows = stat.ms_entries;
	return 0;
}

int
store_copy(struct store *s, int fd, bool compact)
{
	/* LMDB begins a transaction of its own, which must see all of it. */
	if (store_read_begin(s) == -1)
		return -1;
	store_read_end(s);
	return result_of(
	    mdb_env_copyfd2(s->env, fd, compact ? MDB_CP_COMPACT : 0));
}

const char *
store_table_name(enum store_table table)
{
	return names[table];
}

/* -- Transactions --------------------------------------------------------- */

int
store_resize(struct store *s, uint64_t map_size)
{
	assert(s->write == NULL && !s->reading);
	return result_of(mdb_env_set_mapsize(s->env, (size_t)map_size));
}

int
store_write_begin(struct store *s)
{
	assert(s->write == NULL && !s->reading);
	return result_of(mdb_txn_begin(s->env, NULL, 0, &s->write));
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
	return result_of(mdb_txn_commit(take_write(s)));
}

void
store_write_abort(struct store *s)
{
	if (s->write != NULL)
		mdb_txn_abort(take_write(s));
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
	if (result_of(rc) == -1)
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

int
store_get(struct store *s, enum store_table table, const struct row_key *key,
    struct bytes *value)
{
	MDB_val k = value_of(key->octets, key->length), v;

	if (s->tables[table] == NO_TABLE) {
		errno = ENOENT;
		return -1;
	}
	if (result_of(mdb_get(transaction(s), s->tables[table], &k, &v)) == -1)
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

	return result_of(mdb_put(s->write, s->tables[table], &k, &v, 0));
}

int
store_reserve(struct store *s, enum store_table table,
    const struct row_key *key, size_t length, void **value)
{
	MDB_val k = value_of(key->octets, key->length);
	MDB_val v = { length, NULL };

	if (result_of(
		mdb_put(s->write, s->tables[table], &k, &v, MDB_RESERVE)) == -1)
		return -1;
	*value = v.mv_data;
	return 0;
}

int
store_delete(struct store *s, enum store_table table, const struct row_key *key)
{
	MDB_val k = value_of(key->octets, key->length);

	return result_of(mdb_del(s->write, s->tables[table], &k, NULL));
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
	return result_of(rc) == -1 ? NULL : *cursor;
}

static int
move(struct store *s, enum store_table table, MDB_cursor_op how, MDB_val *k,
    struct bytes *key, struct bytes *value)
{
	MDB_cursor *cursor = cursor_of(s, table);
	MDB_val v;

	if (cursor == NULL ||
	    result_of(mdb_cursor_get(cursor, k, &v, how)) == -1)
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

	return cursor == NULL ? -1 : result_of(mdb_cursor_del(cursor, 0));
}

bool
store_has_room(struct store *s, uint64_t bytes)
{
	return store_room_take(&s->room, s->env, bytes);
}

void
store_usage(struct store *s, uint64_t *used, uint64_t *size)
{
	store_room_usage(s->env, used, size);
}
