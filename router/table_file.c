/*
 * A table in a text file, parsed once and held in memory.
 *
 * A changed file is read again once it has looked the same for two checks, a
 * second apart: an editor that truncates a file and then writes it would
 * otherwise show a state in which half of the users do not exist, and their
 * mail would be refused for good. While the file cannot be read at all the
 * table answers "not now", so that mail waits instead.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "router/table_kind.h"
#include "router/table_text.h"

/* What tells one state of a file from another. */
struct mark {
	bool exists;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct file {
	const struct table_config *config;
	char *octets;
	struct table_text text;
	bool usable;
	int error; /* why it is not; logged already */
	struct mark loaded, seen;
};

static struct mark
mark_of(int result, const struct stat *st)
{
	if (result == -1)
		return (struct mark){ .exists = false };
	return (struct mark){ true, st->st_dev, st->st_ino, st->st_size,
		st->st_mtim, st->st_ctim };
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same_mark(const struct mark *a, const struct mark *b)
{
	return a->exists == b->exists && a->device == b->device &&
	       a->inode == b->inode && a->size == b->size &&
	       same_time(&a->modified, &b->modified) &&
	       same_time(&a->changed, &b->changed);
}

static void
on_fault(unsigned int line, const char *why, void *context)
{
	const struct file *file = context;

	log_warn("table-fault table=%s file=\"%s\" line=%u error=\"%s\"",
	    log_text(file->config->name), log_text(file->config->path), line,
	    why);
}

static int
read_all(int fd, char *to, size_t size)
{
	while (size > 0) {
		ssize_t n = read(fd, to, size);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EAGAIN; /* it shrank meanwhile */
			return -1;
		}
		to += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The file's octets with room for a NUL, and which state of it that is. NULL
 * with errno, EAGAIN if it changed while it was read. */
static char *
read_file(const char *path, size_t *length, struct mark *mark)
{
	/* A FIFO in its place must not block us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct mark after;
	struct stat st;
	char *octets = NULL;

	*mark = mark_of(-1, NULL);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1)
		goto fail;
	*mark = mark_of(0, &st);
	if (!S_ISREG(st.st_mode) || st.st_size > LIMIT_TABLE_SIZE) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		goto fail;
	}
	*length = (size_t)st.st_size;
	octets = malloc(*length + 1);
	if (octets == NULL || read_all(fd, octets, *length) == -1 ||
	    fstat(fd, &st) == -1)
		goto fail;
	after = mark_of(0, &st);
	if (!same_mark(mark, &after)) {
		errno = EAGAIN;
		goto fail;
	}
	close(fd);
	return octets;
fail:
	free(octets);
	close(fd);
	return NULL;
}

static void
forget(struct file *file)
{
	table_text_clear(&file->text);
	free(file->octets);
	file->octets = NULL;
	file->usable = false;
}

static void
load(struct file *file)
{
	const char *path = file->config->path;
	size_t length = 0;

	forget(file);
	file->octets = read_file(path, &length, &file->loaded);
	if (file->octets == NULL || table_text_parse(&file->text, file->octets,
					length, on_fault, file) == -1) {
		if (errno != file->error)
			log_warn("table-error table=%s file=\"%s\" "
				 "error=\"%s\"",
			    log_text(file->config->name), log_text(path),
			    strerror(errno));
		file->error = errno;
		forget(file);
		return;
	}
	file->usable = true;
	file->error = 0;
	log_debug("table-loaded table=%s file=\"%s\" keys=%zu",
	    log_text(file->config->name), log_text(path), file->text.count);
}

static void *
file_open(const struct table_config *config)
{
	struct file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	file->config = config;
	load(file);
	file->seen = file->loaded;
	return file;
}

static void
file_refresh(void *data)
{
	struct file *file = data;
	struct stat st;
	struct mark now = mark_of(stat(file->config->path, &st), &st);
	bool settled = same_mark(&now, &file->seen);

	file->seen = now;
	if (!file->usable || (settled && !same_mark(&now, &file->loaded)))
		load(file);
}

static enum table_result
file_lookup(void *data, const char *key, struct table_value *value)
{
	const struct file *file = data;
	const struct table_entry *entry;

	if (!file->usable)
		return TABLE_ERROR;
	entry = table_text_find(&file->text, key);
	if (entry == NULL)
		return TABLE_NONE;
	*value = (struct table_value){ entry->value, file->config->path,
		entry->line };
	return TABLE_FOUND;
}

static void
file_close(void *data)
{
	struct file *file = data;

	forget(file);
	free(file);
}

const struct table_methods table_file_methods = {
	.open = file_open,
	.lookup = file_lookup,
	.refresh = file_refresh,
	.close = file_close,
};
