/* The store's files: made, brought up to date, opened and closed. */
#include "queue/store.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/store_lock.h"
#include "queue/store_memory.h"
#include "queue/store_migrate.h"
#include "queue/store_private.h"

/* Of the lock table in the file; the queue uses one, the others are for tools. */
#define READERS 16

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

const char *
store_table_name(enum store_table table)
{
	return names[table];
}

/* LMDB would wait for a FIFO. No file yet is none of the wrong kind. */
static int
check_kind(const char *path, unsigned int flags)
{
	char file[LIMIT_PATH];
	struct stat st;
	int length = snprintf(file, sizeof(file), "%s%s", path,
	    (flags & MDB_NOSUBDIR) != 0 ? "" : "/data.mdb");

	if (length < 0 || (size_t)length >= sizeof(file)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (stat(file, &st) == -1 || S_ISREG(st.st_mode))
		return 0;
	errno = EUCLEAN;
	return -1;
}

/* 0: the size that the file says. */
static int
open_environment(
    struct store *s, const char *path, uint64_t map_size, unsigned int flags)
{
	int rc;

	if (check_kind(path, flags) == -1)
		return -1;
	rc = mdb_env_create(&s->env);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(s->env, STORE_TABLES);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(s->env, READERS);
	if (rc == 0 && map_size != 0)
		rc = mdb_env_set_mapsize(s->env, (size_t)map_size);
	if (rc == 0)
		rc = mdb_env_open(
		    s->env, path, flags | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	return store_result(rc);
}

static int
open_tables(struct store *s)
{
	for (unsigned int i = 0; i < STORE_TABLES; i++)
		if (store_result(mdb_dbi_open(
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

void
store_close(struct store **pointer)
{
	struct store *s = *pointer;

	*pointer = NULL;
	if (s == NULL)
		return;
	store_write_abort(s);
	if (s->read != NULL)
		mdb_txn_abort(store_take_read(s));
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

/* The name of a file that was made is on the disk only then. */
static int
sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;

	if (fd == -1)
		return -1;
	error = fsync(fd) == -1 ? errno : 0;
	close(fd);
	errno = error;
	return error == 0 ? 0 : -1;
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
	if (prepare(s) == -1 || sync_directory(directory) == -1)
		return give_up(s);
	store_room_begin(&s->room, s->env);
	return s;
}

/* -- To look only --------------------------------------------------------- */

/* 1: there is none. */
static int
open_table_to_read(struct store *s, enum store_table table)
{
	MDB_dbi *handle = &s->tables[table];

	if (store_result(mdb_dbi_open(s->read, names[table], 0, handle)) == 0)
		return 0;
	*handle = NO_TABLE;
	return errno == ENOENT ? 1 : -1;
}

/* A table that another schema did not have is empty; that of the schema itself
 * is in every store. The handles last beyond the transaction only if it is
 * committed. */
static int
open_tables_to_read(struct store *s)
{
	int missing = 0;

	if (store_read_begin(s) == -1)
		return -1;
	for (unsigned int i = 0; i < STORE_TABLES; i++) {
		int is_missing = open_table_to_read(s, (enum store_table)i);

		if (is_missing == -1)
			return -1;
		missing += is_missing;
	}
	if (s->tables[STORE_META] == NO_TABLE) {
		errno = missing == STORE_TABLES ? ENOENT : EUCLEAN;
		return -1;
	}
	s->reading = false;
	return store_result(mdb_txn_commit(store_take_read(s)));
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
