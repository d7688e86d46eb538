/*
 * Whole copies of the store, page by page: a backup while mail flows, a backup
 * put back, and a copy without the free pages in place of the store itself.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/content.h"
#include "queue/store.h"
#include "queue/store_lock.h"
#include "queue/tool/exchange.h"
#include "queue/tool/tool.h"

/* -- A backup, as the caller ---------------------------------------------- */

/* In a folder it gets a name of its own. */
static int
name_backup(struct tool *tool)
{
	struct stat st;
	time_t now = time(NULL);
	struct tm tm;
	char name[48] = "";

	if (stat(tool->file, &st) == 0 && S_ISDIR(st.st_mode)) {
		gmtime_r(&now, &tm);
		strftime(name, sizeof(name),
		    "/postern-store-%Y%m%dT%H%M%SZ.mdb", &tm);
	}
	if (asprintf(&tool->complete, "%s%s", tool->file, name) == -1 ||
	    asprintf(&tool->partial, "%s.partial", tool->complete) == -1)
		return -1;
	return 0;
}

int
backup_prepare(struct tool *tool)
{
	struct stat st;

	if (name_backup(tool) == -1)
		return EX_OSERR;
	if (lstat(tool->complete, &st) == 0) {
		tool_say("%s exists; it is not overwritten", tool->complete);
		return EX_CANTCREAT;
	}
	tool->fd = open(tool->partial,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (tool->fd != -1)
		return EX_OK;
	tool_say("%s: %s", tool->partial, strerror(errno));
	return EX_CANTCREAT;
}

static int
sync_parent(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd == -1 ? -1 : exchange_written(fd);
}

int
backup_finish(struct tool *tool, int code)
{
	if (code == EX_OK) {
		if (renameat2(AT_FDCWD, tool->partial, AT_FDCWD, tool->complete,
			RENAME_NOREPLACE) == 0 &&
		    sync_parent(tool->complete) == 0)
			printf("%s\n", tool->complete);
		else {
			tool_say("%s: %s", tool->complete, strerror(errno));
			code = EX_CANTCREAT;
		}
	}
	if (code != EX_OK && unlink(tool->partial) == -1 && errno != ENOENT)
		tool_say("%s: %s", tool->partial, strerror(errno));
	free(tool->partial);
	free(tool->complete);
	return code == EX_OK ? tool_flush(code) : code;
}

/* -- A backup, as the queue's user ---------------------------------------- */

/* A copy is a copy: of any schema. */
int
backup_work(struct tool *tool)
{
	struct store *store = store_open_read(tool->place);
	int code = EX_OK;

	if (store == NULL)
		return tool_fail(tool, "cannot open the store");
	if (store_copy(store, tool->fd, tool->compact) == -1 ||
	    fsync(tool->fd) == -1)
		code = tool_fail(tool, "cannot copy the store");
	store_close(&store);
	return code;
}

/* -- Put back ------------------------------------------------------------- */

static int
copy_octets(int from, int to)
{
	static uint8_t octets[1024 * 1024];

	for (;;) {
		ssize_t n = read(from, octets, sizeof(octets));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			return 0;
		if (content_write(to, octets, (size_t)n) == -1)
			return -1;
	}
}

static int
count_rows(struct store *store, uint32_t *schema, uint64_t rows[STORE_TABLES])
{
	int result;

	if (store_read_begin(store) == -1)
		return -1;
	result = store_schema(store, schema);
	for (int i = 0; i < STORE_TABLES && result == 0; i++)
		result = store_rows(store, (enum store_table)i, &rows[i]);
	store_read_end(store);
	return result;
}

/* Is it a whole store? One of an older postern is brought up to date when
 * postern starts, like any other. Of one that was cut short, as a copy over a
 * network may be, some page is not there: who reads it ends. */
static int
look_at_copy(const struct tool *tool, uint64_t rows[STORE_TABLES])
{
	struct store *store = store_open_copy(exchange_path(tool));
	uint32_t schema = 0;
	int result;

	if (store == NULL)
		return -1;
	result = count_rows(store, &schema, rows);
	if (result == 0)
		result = store_read_all(store);
	store_close(&store);
	if (result == 0 && schema > STORE_SCHEMA) {
		errno = ENOTSUP;
		return -1;
	}
	return result;
}

static int
put_back(struct tool *tool)
{
	uint64_t rows[STORE_TABLES];
	int fd;

	if (source_check(tool->fd) == -1)
		return tool_fail(tool, "cannot use the backup");
	fd = exchange_begin(tool);
	if (fd == -1 || copy_octets(tool->fd, fd) == -1) {
		int code = tool_fail(tool, "cannot copy the backup");

		if (fd != -1)
			close(fd);
		return code;
	}
	if (exchange_written(fd) == -1)
		return tool_fail(tool, "cannot write the store");
	if (look_at_copy(tool, rows) == -1) {
		/* LMDB has many words for that. */
		if (errno != ENOTSUP && errno != ENOMEM)
			errno = EUCLEAN;
		return tool_fail(tool, "cannot use the backup");
	}
	if (exchange_commit(tool) == -1)
		return tool_fail(tool, "cannot exchange the store");
	printf("restored %" PRIu64 " messages\n", rows[STORE_MESSAGE]);
	return EX_OK;
}

/* Runs `work` while nobody else has the files. */
static int
exchange(struct tool *tool, int (*work)(struct tool *))
{
	int lock = store_lock(tool->place, STORE_LOCK_EXCHANGE), code;

	if (lock == -1)
		return tool_fail(tool, "cannot exchange the store");
	code = work(tool);
	exchange_abort(tool);
	close(lock);
	return code;
}

/* Who has the store now, if somebody has, takes it away himself. */
int
exchange_tidy(struct tool *tool)
{
	int lock = store_lock(tool->place, STORE_LOCK_EXCHANGE);

	if (lock == -1)
		return EX_OK;
	exchange_abort(tool);
	close(lock);
	return EX_OK;
}

int
restore_work(struct tool *tool)
{
	return exchange(tool, put_back);
}

/* -- Without its free pages ----------------------------------------------- */

static int
write_compact(const struct tool *tool, struct store *store)
{
	int fd = exchange_begin(tool), error;

	if (fd == -1)
		return -1;
	if (store_copy(store, fd, true) == 0)
		return exchange_written(fd);
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
compact_from(const struct tool *tool, struct store *store)
{
	uint64_t before[STORE_TABLES], after[STORE_TABLES];
	uint32_t schema;

	if (count_rows(store, &schema, before) == -1 ||
	    write_compact(tool, store) == -1)
		return tool_fail(tool, "cannot compact the store");
	if (look_at_copy(tool, after) == -1)
		return tool_fail(tool, "cannot read the compact store");
	if (memcmp(before, after, sizeof(before)) == 0)
		return EX_OK;
	tool_say("the compact store has other rows than the store; it is not "
		 "used");
	return EX_DATAERR;
}

static int
compact(struct tool *tool)
{
	struct store *store;
	char path[PATH_MAX];
	int code;

	snprintf(path, sizeof(path), "%s/data.mdb", tool->place);
	store = store_open_copy(path);
	if (store == NULL)
		return tool_fail(tool, "cannot open the store");
	code = compact_from(tool, store);
	store_close(&store);
	if (code == EX_OK && exchange_commit(tool) == -1)
		return tool_fail(tool, "cannot exchange the store");
	return code;
}

int
compact_work(struct tool *tool)
{
	return exchange(tool, compact);
}
