#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <signal.h>

#include <lmdb.h>

#include "queue/store_event.h"
#include "queue/store_lock.h"
#include "tests/unit/queue/test.h"

static struct house house;

static int
set_up(void **state)
{
	(void)state;
	house_open(&house, 1 * MIB);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	house_close(&house);
	return 0;
}

static void
put(struct store *store, uint64_t id, const void *value, size_t length)
{
	struct row_key key = row_key_id(id);

	assert_int_equal(
	    store_put(store, STORE_MESSAGE, &key, value, length), 0);
}

static void
test_one_owner_at_a_time(void **state)
{
	struct store *second;

	(void)state;
	errno = 0;
	second = store_open(house.directory, MIB);
	assert_null(second);
	assert_int_equal(errno, EBUSY);
	store_close(&house.store);
	second = store_open(house.directory, MIB);
	assert_non_null(second);
	store_close(&second);
}

static void
test_no_directory(void **state)
{
	(void)state;
	errno = 0;
	assert_null(store_open("/tmp/postern-no-such-directory", MIB));
	assert_int_equal(errno, ENOENT);
}

static void
write_schema(const void *value, size_t length)
{
	struct row_key key = row_key_text("schema");

	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_put(house.store, STORE_META, &key, value, length), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	store_close(&house.store);
	errno = 0;
	house.store = store_open(house.directory, MIB);
}

static void
test_a_newer_schema_is_refused(void **state)
{
	static const uint8_t newer[4] = { STORE_SCHEMA + 1, 0, 0, 0 };

	(void)state;
	write_schema(newer, sizeof(newer));
	assert_null(house.store);
	assert_int_equal(errno, ENOTSUP);
}

static void
put_old_index(const char *address, uint64_t id)
{
	struct row_key key = row_key_address(address, id);

	assert_int_equal(store_put(house.store, STORE_ADDRESS, &key, "", 0), 0);
	/* The one that the house itself gave it. */
	key = row_key_address("sender@example.net", id);
	assert_int_equal(store_delete(house.store, STORE_ADDRESS, &key), 0);
}

/* What is told of it, whatever wrote the row. */
static void
read_event(uint64_t id, uint32_t number, struct row_event *event)
{
	static uint8_t octets[ROW_VALUE_SIZE];
	struct row_key key = row_key_number(id, number);
	struct bytes value;

	assert_int_equal(store_read_begin(house.store), 0);
	assert_int_equal(store_get(house.store, STORE_EVENT, &key, &value), 0);
	memcpy(octets, value.data, value.length);
	assert_int_equal(row_event_decode(event, octets, value.length), 0);
	store_read_end(house.store);
}

/* The rows of a message that waits, octet by octet as schema 1 wrote them:
 * nothing that encodes them today is asked. */
static void
put_old_message(uint64_t id)
{
	struct row_key key = row_key_number(id, 0);
	uint8_t value[512];
	struct wire_writer w = { .data = value, .size = sizeof(value) };

	wire_put_u8(&w, 1);
	wire_put_u64(&w, house_now);
	wire_put_u64(&w, 10);
	wire_put_text(&w, "old@example.net", LIMIT_PATH);
	wire_put_text(&w, "192.0.2.1", LIMIT_ADDRESS_TEXT);
	wire_put_text(&w, "client", LIMIT_HELO);
	wire_put_text(&w, "", LIMIT_USER);
	wire_put_u8(&w, SMTP_PROTOCOL_ESMTP);
	wire_put_u8(&w, SMTP_BODY_7BIT);
	wire_put_u32(&w, 1);
	wire_put_u32(&w, 1);
	put(house.store, id, value, w.length);
	w = (struct wire_writer){ .data = value, .size = sizeof(value) };
	wire_put_u8(&w, 1);
	wire_put_text(&w, "u@example.com", LIMIT_PATH);
	wire_put_text(&w, "alias@example.com", LIMIT_PATH);
	wire_put_u8(&w, ROUTE_MX);
	wire_put_text(&w, "", LIMIT_NAME);
	wire_put_text(&w, "", LIMIT_USER);
	wire_put_text(&w, "mx:example.com", LIMIT_DESTINATION);
	wire_put_u8(&w, RECIPIENT_WAITING);
	wire_put_u32(&w, 0);
	wire_put_u64(&w, house_now / 1000);
	wire_put_text(&w, "", LIMIT_DOMAIN);
	wire_put_text(&w, "", LIMIT_REPLY);
	assert_int_equal(
	    store_put(house.store, STORE_RECIPIENT, &key, value, w.length), 0);
	w = (struct wire_writer){ .data = value, .size = sizeof(value) };
	wire_put_u8(&w, 1);
	wire_put_u64(&w, house_now / 1000);
	wire_put_u8(&w, EVENT_ACCEPTED);
	wire_put_text(&w, "u@example.com", LIMIT_PATH);
	wire_put_text(&w, "old@example.net", LIMIT_PATH);
	wire_put_text(&w, "u@example.com", LIMIT_PATH);
	wire_put_text(&w, "mx:example.com", LIMIT_DESTINATION);
	wire_put_text(&w, "192.0.2.1", LIMIT_DOMAIN);
	wire_put_text(&w, "from <old@example.net>", LIMIT_REPLY);
	assert_int_equal(
	    store_put(house.store, STORE_EVENT, &key, value, w.length), 0);
	put_old_index("old@example.net", id);
}

static const char *const old_mail[] = { "u@example.com", NULL };

/* A store of schema 1 with one message that waits. */
static uint64_t
make_old_store(void)
{
	static const uint8_t older[4] = { 1, 0, 0, 0 };
	uint64_t id = house_accept(&house, 10, old_mail);

	assert_int_equal(store_write_begin(house.store), 0);
	put_old_message(id);
	assert_int_equal(store_write_commit(house.store), 0);
	write_schema(older, sizeof(older));
	return id;
}

static uint32_t
schema_here(void)
{
	struct row_key key = row_key_text("schema");
	struct bytes value;
	uint32_t schema;

	assert_int_equal(store_read_begin(house.store), 0);
	assert_int_equal(store_get(house.store, STORE_META, &key, &value), 0);
	assert_int_equal(value.length, 4);
	schema = value.data[0];
	store_read_end(house.store);
	return schema;
}

static uint8_t
format_of(enum store_table table, struct row_key key)
{
	struct bytes value;
	uint8_t format;

	assert_int_equal(store_read_begin(house.store), 0);
	assert_int_equal(store_get(house.store, table, &key, &value), 0);
	format = value.data[0];
	store_read_end(house.store);
	return format;
}

static void
test_schema_1_is_migrated(void **state)
{
	uint64_t id = make_old_store();
	struct lifecycle_result result;
	struct row_recipient r;
	struct row_event event;

	(void)state;
	assert_non_null(house.store);
	assert_int_equal(schema_here(), STORE_SCHEMA);
	house_crash(&house);
	assert_true(house_recipient(&house, id, 0, &r));
	assert_string_equal(r.original, "alias@example.com");
	assert_string_equal(r.orcpt, "");
	/* Its history too: with what it says, and what it does not. */
	read_event(id, 0, &event);
	assert_string_equal(event.sender, "old@example.net");
	assert_string_equal(event.peer, "192.0.2.1");
	assert_string_equal(event.detail, "from <old@example.net>");
	assert_int_equal(event.protocol, 0);
	assert_int_equal(event.rule, 0);
	assert_int_equal(format_of(STORE_EVENT, row_key_number(id, 0)), 1);
	house_is_sound(&house);
	/* Not each row is written at once; one that changes is. */
	assert_int_equal(format_of(STORE_RECIPIENT, row_key_number(id, 0)), 1);
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	assert_int_equal(format_of(STORE_RECIPIENT, row_key_number(id, 0)), 2);
	assert_int_equal(format_of(STORE_MESSAGE, row_key_id(id)), 1);
	assert_int_equal(format_of(STORE_EVENT, row_key_number(id, 1)), 2);
	read_event(id, 1, &event);
	assert_int_equal(event.what, EVENT_DEFERRED);
	assert_int_equal(event.attempt, 1);
	house_is_sound(&house);
	house_report(
	    &house, id, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(result.message_gone);
	house_is_sound(&house);
}

/* Killed before the commit: the old store is as it was, and is migrated by
 * the next who opens it. */
static void
test_a_migration_is_all_or_nothing(void **state)
{
	struct row_key key = row_key_text("schema");
	static const uint8_t older[4] = { 1, 0, 0, 0 };
	int status;
	pid_t pid;

	(void)state;
	(void)make_old_store();
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_put(house.store, STORE_META, &key, older, sizeof(older)), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	store_close(&house.store);
	/* The disk is full: what is written does not fit. */
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		const struct rlimit none = { 0, RLIM_INFINITY };

		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &none) == -1)
			_exit(2);
		_exit(store_open(house.directory, MIB) == NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	house.store = store_open(house.directory, MIB);
	assert_non_null(house.store);
	assert_int_equal(schema_here(), STORE_SCHEMA);
	house_crash(&house);
	house_is_sound(&house);
}

static void
test_there_is_no_schema_0(void **state)
{
	static const uint8_t zero[4] = { 0, 0, 0, 0 };

	(void)state;
	write_schema(zero, sizeof(zero));
	assert_null(house.store);
	assert_int_equal(errno, EUCLEAN);
}

static void
test_a_damaged_schema_is_refused(void **state)
{
	(void)state;
	write_schema("?", 1);
	assert_null(house.store);
	assert_int_equal(errno, EUCLEAN);
}

static void
test_a_store_without_schema_is_new_or_nothing(void **state)
{
	struct row_key key = row_key_text("schema");

	(void)state;
	assert_int_equal(store_write_begin(house.store), 0);
	put(house.store, 1, "x", 1);
	assert_int_equal(store_delete(house.store, STORE_META, &key), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	store_close(&house.store);
	errno = 0;
	house.store = store_open(house.directory, MIB);
	assert_null(house.store);
	assert_int_equal(errno, EUCLEAN);
}

static void
test_the_file_is_no_store(void **state)
{
	char path[128];
	FILE *file;

	(void)state;
	store_close(&house.store);
	snprintf(path, sizeof(path), "%s/data.mdb", house.directory);
	file = fopen(path, "r+");
	assert_non_null(file);
	for (int i = 0; i < 8192; i++)
		fputc('x', file);
	fclose(file);
	errno = 0;
	house.store = store_open(house.directory, MIB);
	assert_null(house.store);
	assert_int_not_equal(errno, 0);
}

static void
test_walks(void **state)
{
	struct row_key from = row_key_id(5);
	struct bytes key, value;
	uint64_t id;

	(void)state;
	assert_int_equal(store_write_begin(house.store), 0);
	for (uint64_t i = 2; i <= 20; i += 2)
		put(house.store, i, "x", 1);
	assert_int_equal(
	    store_seek(house.store, STORE_MESSAGE, &from, &key, &value), 0);
	assert_int_equal(row_key_id_read(key.data, key.length, &id), 0);
	assert_int_equal(id, 6);
	assert_int_equal(store_delete_here(house.store, STORE_MESSAGE), 0);
	assert_int_equal(
	    store_next(house.store, STORE_MESSAGE, &key, &value), 0);
	assert_int_equal(row_key_id_read(key.data, key.length, &id), 0);
	assert_int_equal(id, 8);
	assert_int_equal(
	    store_seek_below(house.store, STORE_MESSAGE, &from, &key, &value),
	    0);
	assert_int_equal(row_key_id_read(key.data, key.length, &id), 0);
	assert_int_equal(id, 4);
	from = row_key_id(100);
	assert_int_equal(
	    store_seek_below(house.store, STORE_MESSAGE, &from, &key, &value),
	    0);
	assert_int_equal(row_key_id_read(key.data, key.length, &id), 0);
	assert_int_equal(id, 20);
	errno = 0;
	assert_int_equal(
	    store_seek(house.store, STORE_MESSAGE, &from, &key, &value), -1);
	assert_int_equal(errno, ENOENT);
	from = row_key_id(2);
	assert_int_equal(
	    store_seek_below(house.store, STORE_MESSAGE, &from, &key, &value),
	    -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(store_write_commit(house.store), 0);
	/* In read transactions the same cursors are used again. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_read_begin(house.store), 0);
		assert_int_equal(
		    store_seek(house.store, STORE_MESSAGE, &from, &key, &value),
		    0);
		assert_int_equal(
		    store_next(house.store, STORE_MESSAGE, &key, &value), 0);
		store_read_end(house.store);
	}
}

static void
test_what_is_aborted_never_was(void **state)
{
	struct row_key key = row_key_id(1);
	struct bytes value;

	(void)state;
	assert_int_equal(store_write_begin(house.store), 0);
	put(house.store, 1, "x", 1);
	store_write_abort(house.store);
	assert_int_equal(store_read_begin(house.store), 0);
	errno = 0;
	assert_int_equal(
	    store_get(house.store, STORE_MESSAGE, &key, &value), -1);
	assert_int_equal(errno, ENOENT);
	store_read_end(house.store);
}

/* A full map fails one transaction and no more; what frees space still
 * works. */
static void
test_a_full_map(void **state)
{
	static uint8_t chunk[ROW_CHUNK_SIZE];
	uint32_t written = 0;
	int result = 0;

	(void)state;
	while (result == 0) {
		struct row_key key = row_key_number(1, written);

		assert_int_equal(store_write_begin(house.store), 0);
		errno = 0;
		result = store_put(
		    house.store, STORE_CONTENT, &key, chunk, sizeof(chunk));
		if (result == 0)
			result = store_write_commit(house.store);
		else
			store_write_abort(house.store);
		written++;
		assert_true(written < 64);
	}
	assert_int_equal(errno, ENOSPC);
	sleep(1); /* it looks at most once a second */
	assert_false(store_has_room(house.store, sizeof(chunk)));
	for (uint32_t i = 0; i + 1 < written; i++) {
		struct row_key key = row_key_number(1, i);

		assert_int_equal(store_write_begin(house.store), 0);
		assert_int_equal(
		    store_delete(house.store, STORE_CONTENT, &key), 0);
		assert_int_equal(store_write_commit(house.store), 0);
	}
	sleep(1);
	assert_true(store_has_room(house.store, sizeof(chunk)));
}

static void
test_room_is_kept_in_mind(void **state)
{
	unsigned int granted = 0;

	(void)state;
	while (store_has_room(house.store, 32768))
		assert_true(++granted < 30);
	assert_true(granted > 5);
	assert_false(store_has_room(house.store, 2 * MIB));
}

static void
test_a_larger_map(void **state)
{
	uint64_t used, size;

	(void)state;
	assert_false(store_has_room(house.store, 8 * MIB));
	assert_int_equal(store_resize(house.store, 64 * MIB), 0);
	sleep(1);
	assert_true(store_has_room(house.store, 8 * MIB));
	store_usage(house.store, &used, &size);
	assert_int_equal(size, 64 * MIB);
	assert_true(used > 0 && used < MIB);
}

/* The process is killed with one transaction committed and one under way. */
static void
test_killed(void **state)
{
	struct row_key key = row_key_id(1);
	struct bytes value;
	int status;
	pid_t pid;

	(void)state;
	store_close(&house.store);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct store *store = store_open(house.directory, MIB);

		if (store == NULL || store_write_begin(store) == -1 ||
		    store_put(store, STORE_MESSAGE, &key, "kept", 4) == -1 ||
		    store_write_commit(store) == -1 ||
		    store_write_begin(store) == -1 ||
		    store_put(store, STORE_MESSAGE, &key, "lost", 4) == -1)
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	house.store = store_open(house.directory, MIB);
	assert_non_null(house.store);
	assert_int_equal(store_read_begin(house.store), 0);
	assert_int_equal(
	    store_get(house.store, STORE_MESSAGE, &key, &value), 0);
	assert_memory_equal(value.data, "kept", 4);
	store_read_end(house.store);
}

/* -- Others who look on --------------------------------------------------- */

/* LMDB takes an environment once in a process: others are other processes. */
static int
in_another_process(int (*look)(void))
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(look());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool
sees(struct store *store, uint64_t id)
{
	struct row_key key = row_key_id(id);
	struct bytes value;
	bool found;

	if (store_read_begin(store) == -1)
		return false;
	found = store_get(store, STORE_MESSAGE, &key, &value) == 0;
	store_read_end(store);
	return found;
}

static int
look_once(void)
{
	struct store *store = store_open_read(house.directory);
	uint32_t schema = 0;

	if (store == NULL || !sees(store, 1))
		return 1;
	if (store_read_begin(store) == -1 ||
	    store_schema(store, &schema) == -1 || schema != STORE_SCHEMA)
		return 2;
	store_close(&store);
	return 0;
}

static void
test_others_look_on(void **state)
{
	(void)state;
	assert_int_equal(store_write_begin(house.store), 0);
	put(house.store, 1, "x", 1);
	assert_int_equal(store_write_commit(house.store), 0);
	assert_int_equal(in_another_process(look_once), 0);
	/* Also while nobody owns it; and the owner is not kept out. */
	store_close(&house.store);
	assert_int_equal(in_another_process(look_once), 0);
	house.store = store_open(house.directory, MIB);
	assert_non_null(house.store);
}

static int
look_without_a_table(void)
{
	struct store *store = store_open_read(house.directory);
	struct row_key first = { .length = 1 };
	struct bytes key, value;
	uint64_t rows = 1;

	if (store == NULL || sees(store, 1) || store_read_begin(store) == -1)
		return 1;
	errno = 0;
	if (store_seek(store, STORE_MESSAGE, &first, &key, &value) == 0 ||
	    errno != ENOENT)
		return 2;
	if (store_rows(store, STORE_MESSAGE, &rows) == -1 || rows != 0)
		return 3;
	if (store_rows(store, STORE_META, &rows) == -1 || rows == 0)
		return 4;
	return 0;
}

/* A store of another schema may lack tables: they are empty for whoever
 * looks. */
static void
test_a_table_that_is_not_there(void **state)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;

	(void)state;
	store_close(&house.store);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, STORE_TABLES), 0);
	assert_int_equal(mdb_env_open(env, house.directory, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "message", 0, &table), 0);
	assert_int_equal(mdb_drop(txn, table, 1), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	assert_int_equal(in_another_process(look_without_a_table), 0);
	house.store = store_open(house.directory, MIB);
	assert_non_null(house.store);
}

static int
count_files(void)
{
	DIR *directory = opendir(house.directory);
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count - 2;
}

static void
test_whoever_looks_makes_nothing(void **state)
{
	char path[128];

	(void)state;
	store_close(&house.store);
	for (int i = 0; i < 2; i++) {
		static const char *const names[] = { "data.mdb", "owner" };

		snprintf(
		    path, sizeof(path), "%s/%s", house.directory, names[i]);
		assert_int_equal(unlink(path), 0);
		errno = 0;
		assert_null(store_open_read(house.directory));
		assert_int_equal(errno, ENOENT);
	}
	assert_int_equal(count_files(), 1);
	snprintf(path, sizeof(path), "%s/data.mdb", house.directory);
	errno = 0;
	assert_null(store_open_copy(path));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(count_files(), 1);
}

static int
look_and_die(void)
{
	struct store *store = store_open_read(house.directory);

	if (store != NULL && store_read_begin(store) == 0)
		raise(SIGKILL);
	return 1;
}

/* As many pages as the file has, after so many commits of one chunk. */
static uint64_t
pages_after(unsigned int commits)
{
	static uint8_t chunk[ROW_CHUNK_SIZE];
	struct row_key key = row_key_number(1, 0);
	uint64_t size;
	struct stat st;
	char path[128];

	for (unsigned int i = 0; i < commits; i++) {
		assert_int_equal(store_write_begin(house.store), 0);
		assert_int_equal(store_put(house.store, STORE_CONTENT, &key,
				     chunk, sizeof(chunk)),
		    0);
		assert_int_equal(store_write_commit(house.store), 0);
	}
	snprintf(path, sizeof(path), "%s/data.mdb", house.directory);
	assert_int_equal(stat(path, &st), 0);
	size = (uint64_t)st.st_size;
	return size / 4096;
}

/* One that was killed while it looked would keep every page from being used
 * again. */
static void
test_a_dead_reader_costs_nothing_for_long(void **state)
{
	uint64_t before, after;

	(void)state;
	assert_int_equal(store_resize(house.store, 64 * MIB), 0);
	before = pages_after(20);
	assert_int_equal(in_another_process(look_and_die), -SIGKILL);
	assert_true(pages_after(20) > before + 100);
	sleep(1);
	assert_true(store_has_room(house.store, 1));
	after = pages_after(5);
	assert_int_equal(pages_after(100), after);
}

/* The owner makes the map larger and fills it: whoever looks on follows. */
static void
test_whoever_looks_follows_a_larger_map(void **state)
{
	struct store *reader;
	int status, go[2];
	pid_t pid;

	(void)state;
	store_close(&house.store);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		static uint8_t chunk[ROW_CHUNK_SIZE];
		char c;

		if (read(go[0], &c, 1) != 1)
			_exit(1);
		house.store = store_open(house.directory, 64 * MIB);
		if (house.store == NULL || store_write_begin(house.store) == -1)
			_exit(2);
		for (uint32_t i = 0; i < 200; i++) {
			struct row_key key = row_key_number(1, i);

			if (store_put(house.store, STORE_CONTENT, &key, chunk,
				sizeof(chunk)) == -1)
				_exit(3);
		}
		put(house.store, 1, "x", 1);
		_exit(store_write_commit(house.store) == 0 ? 0 : 4);
	}
	reader = store_open_read(house.directory);
	assert_non_null(reader);
	assert_false(sees(reader, 1));
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(sees(reader, 1));
	store_close(&reader);
	close(go[0]);
	close(go[1]);
}

static void
test_locks(void **state)
{
	const char *directory = house.directory;
	int reader, second, exchange;

	(void)state;
	/* The house owns it. */
	assert_int_equal(store_lock(directory, STORE_LOCK_OWNER), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(store_lock(directory, STORE_LOCK_EXCHANGE), -1);
	assert_int_equal(errno, EBUSY);
	reader = store_lock(directory, STORE_LOCK_READER);
	second = store_lock(directory, STORE_LOCK_READER);
	assert_int_not_equal(reader, -1);
	assert_int_not_equal(second, -1);
	close(second);
	store_close(&house.store);
	assert_int_equal(store_lock(directory, STORE_LOCK_EXCHANGE), -1);
	assert_int_equal(errno, EBUSY);
	close(reader);
	exchange = store_lock(directory, STORE_LOCK_EXCHANGE);
	assert_int_not_equal(exchange, -1);
	assert_null(store_open(directory, MIB));
	assert_int_equal(errno, EBUSY);
	assert_null(store_open_read(directory));
	assert_int_equal(errno, EBUSY);
	close(exchange);
	house.store = store_open(directory, MIB);
	assert_non_null(house.store);
}

/* -- History -------------------------------------------------------------- */

static const char *const one[] = { "u@example.com", NULL };
static const char *const aliased[] = { "a@example.com", "b@example.com", NULL };

static int
forget(struct store_event_purge *purge, uint64_t before, unsigned int most)
{
	int forgotten;

	assert_int_equal(store_write_begin(house.store), 0);
	forgotten = store_event_purge(house.store, purge, before, most);
	assert_int_equal(store_write_commit(house.store), 0);
	return forgotten;
}

static void
deliver(uint64_t id, uint32_t number)
{
	struct lifecycle_result result;

	house_report(&house, id, number, REPORT_DELIVERED,
	    REPORT_SCOPE_RECIPIENT, &result);
}

static void
test_history_is_forgotten_after_a_while(void **state)
{
	struct store_event_purge purge = { 0 };
	uint64_t day = 86400, begin = house_now / 1000;
	uint64_t waits, first, second;

	(void)state;
	waits = house_accept(&house, 10, one);
	first = house_accept(&house, 10, aliased);
	deliver(first, 0);
	deliver(first, 1);
	house_now += day * 1000;
	second = house_accept(&house, 10, one);
	deliver(second, 0);
	/* Nothing is old enough. */
	assert_int_equal(forget(&purge, begin, 100), 0);
	assert_int_equal(purge.after, 0);
	/* The first is; the one that waits is kept whatever its age. */
	assert_int_equal(forget(&purge, begin + 60, 100), 1);
	assert_int_equal(house_count(&house, STORE_EVENT), 1 + 2);
	house_is_sound(&house);
	deliver(waits, 0);
	/* Its last event counts, not its first. */
	purge.after = 0;
	assert_int_equal(forget(&purge, begin + 60, 100), 0);
	assert_int_equal(forget(&purge, begin + 3 * day, 100), 2);
	assert_int_equal(house_count(&house, STORE_EVENT), 0);
	assert_int_equal(house_count(&house, STORE_ADDRESS), 0);
}

static void
test_history_is_forgotten_in_small_steps(void **state)
{
	struct store_event_purge purge = { 0 };
	unsigned int rows = 0, steps = 0;
	uint64_t before;

	(void)state;
	for (int i = 0; i < 10; i++) {
		uint64_t id = house_accept(&house, 10, aliased);

		deliver(id, 0);
		deliver(id, 1);
	}
	before = house_now / 1000 + 3600;
	rows = house_count(&house, STORE_EVENT);
	assert_int_equal(rows, 40);
	while (house_count(&house, STORE_EVENT) > 0) {
		unsigned int left;

		assert_int_not_equal(forget(&purge, before, 7), -1);
		left = house_count(&house, STORE_EVENT);
		assert_true(rows - left <= 7);
		rows = left;
		assert_true(++steps < 20);
	}
	assert_int_equal(house_count(&house, STORE_ADDRESS), 0);
}

/* A look passes by what stays, and remembers where it was. */
static void
test_a_look_is_bounded(void **state)
{
	struct store_event_purge purge = { 0 };
	uint64_t last = 0, before;
	int found = 0, looks = 0;

	(void)state;
	for (int i = 0; i < 25; i++)
		last = house_accept(&house, 10, one);
	deliver(last, 0);
	before = house_now / 1000 + 3600;
	assert_int_equal(store_read_begin(house.store), 0);
	while (found == 0) {
		found = store_event_purge_seek(house.store, &purge, before, 10);
		assert_true(++looks < 10);
	}
	store_read_end(house.store);
	assert_int_equal(found, 1);
	assert_int_equal(looks, 3);
}

/* Whatever is done to a message for however long, its history has a bound; how
 * it began and how it ended is kept. */
static void
test_history_is_bounded(void **state)
{
	const unsigned int most = LIMIT_EVENTS + 2 * LIMIT_EVENTS_A_RECIPIENT;
	uint64_t id = house_accept(&house, 10, aliased);
	struct lifecycle_result result;
	struct row_event event;

	(void)state;
	for (unsigned int i = 0; i < most; i++) {
		house_act(&house, CTL_VERB_HOLD, id, 0);
		house_act(&house, CTL_VERB_RELEASE, id, 0);
		house_report(&house, id, 1, REPORT_DEFERRED,
		    REPORT_SCOPE_RECIPIENT, &result);
		assert_true(house_count(&house, STORE_EVENT) <= most);
	}
	assert_int_equal(house_count(&house, STORE_EVENT), most);
	read_event(id, most - 1, &event);
	assert_int_equal(event.what, EVENT_DEFERRED);
	assert_int_equal(event.attempt, most);
	/* Each counts those before it that it took the place of. */
	assert_int_equal(event.dropped, 3 * most - (most - 2));
	deliver(id, 0);
	deliver(id, 1);
	assert_int_equal(house_count(&house, STORE_EVENT), most + 2);
	read_event(id, 0, &event);
	assert_int_equal(event.what, EVENT_ACCEPTED);
	read_event(id, 1, &event);
	assert_int_equal(event.what, EVENT_ACCEPTED);
	read_event(id, most, &event);
	assert_int_equal(event.what, EVENT_DELIVERED);
	assert_int_equal(event.recipient, 0);
	read_event(id, most + 1, &event);
	assert_int_equal(event.recipient, 1);
	house_is_sound(&house);
}

/* What is the same for all recipients is in the first row only. */
static void
test_a_client_is_stored_once(void **state)
{
	uint64_t id = house_accept(&house, 10, aliased);
	struct row_event event;

	(void)state;
	read_event(id, 0, &event);
	assert_string_equal(event.sender, "sender@example.net");
	assert_string_equal(event.config, "/etc/postern/postern.conf");
	assert_string_equal(event.tls_version, "TLSv1.3");
	read_event(id, 1, &event);
	assert_string_equal(event.sender, "");
	assert_string_equal(event.config, "");
	assert_int_equal(event.rule, 7);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_one_owner_at_a_time),
		TEST(test_no_directory),
		TEST(test_a_newer_schema_is_refused),
		TEST(test_schema_1_is_migrated),
		TEST(test_a_migration_is_all_or_nothing),
		TEST(test_there_is_no_schema_0),
		TEST(test_a_damaged_schema_is_refused),
		TEST(test_a_store_without_schema_is_new_or_nothing),
		TEST(test_the_file_is_no_store),
		TEST(test_walks),
		TEST(test_what_is_aborted_never_was),
		TEST(test_a_full_map),
		TEST(test_room_is_kept_in_mind),
		TEST(test_a_larger_map),
		TEST(test_killed),
		TEST(test_others_look_on),
		TEST(test_a_table_that_is_not_there),
		TEST(test_whoever_looks_makes_nothing),
		TEST(test_a_dead_reader_costs_nothing_for_long),
		TEST(test_whoever_looks_follows_a_larger_map),
		TEST(test_locks),
		TEST(test_history_is_forgotten_after_a_while),
		TEST(test_history_is_forgotten_in_small_steps),
		TEST(test_a_look_is_bounded),
		TEST(test_history_is_bounded),
		TEST(test_a_client_is_stored_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
