#include "queue/store_content.h"

#include <errno.h>
#include <unistd.h>

#include "common/content.h"
#include "queue/store.h"

/* Straight from the memfd into the page that LMDB will write. */
static int
read_chunk(int fd, void *to, size_t length, uint64_t offset)
{
	uint8_t *at = to;

	while (length > 0) {
		ssize_t n = pread(fd, at, length, (off_t)offset);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = EPROTO;
			return -1;
		}
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

int
store_content_put(struct store *store, uint64_t id, int fd, uint64_t size)
{
	uint32_t chunk = 0;

	for (uint64_t at = 0; at < size; at += ROW_CHUNK_SIZE) {
		struct row_key key = row_key_number(id, chunk++);
		uint64_t left = size - at;
		size_t length =
		    left < ROW_CHUNK_SIZE ? (size_t)left : ROW_CHUNK_SIZE;
		void *octets;

		if (store_reserve(
			store, STORE_CONTENT, &key, length, &octets) == -1 ||
		    read_chunk(fd, octets, length, at) == -1)
			return -1;
	}
	return 0;
}

int
store_content_delete(struct store *store, uint64_t id)
{
	struct row_key from = row_key_number(id, 0);
	struct bytes key, value;
	int found = store_seek(store, STORE_CONTENT, &from, &key, &value);

	while (found == 0) {
		uint64_t of;
		uint32_t chunk;

		if (row_key_number_read(key.data, key.length, &of, &chunk) ==
		    -1)
			return -1;
		if (of != id)
			return 0;
		if (store_delete_here(store, STORE_CONTENT) == -1)
			return -1;
		found = store_next(store, STORE_CONTENT, &key, &value);
	}
	return errno == ENOENT ? 0 : -1;
}

/* What each chunk is given to, besides being looked at; -1 to stop. */
typedef int each_chunk(struct bytes octets, void *context);

static const char missing[] = "a chunk of the content is missing";
static const char wrong_length[] = "a chunk of the content has another length";
static const char too_many[] = "there is more content than there should be";

static int
damaged(const char **what, const char *how)
{
	*what = how;
	errno = EBADMSG;
	return -1;
}

static int
read_chunks(struct store *store, uint64_t id, uint64_t size, each_chunk *each,
    void *context, const char **what)
{
	struct bytes octets;
	struct row_key key = row_key_number(id, 0);
	uint32_t chunk = 0;

	for (uint64_t at = 0; at < size; at += octets.length) {
		uint64_t left = size - at;

		key = row_key_number(id, chunk++);
		if (store_get(store, STORE_CONTENT, &key, &octets) == -1)
			return errno == ENOENT ? damaged(what, missing) : -1;
		if (octets.length !=
		    (left < ROW_CHUNK_SIZE ? left : ROW_CHUNK_SIZE))
			return damaged(what, wrong_length);
		if (each(octets, context) == -1)
			return -1;
	}
	key = row_key_number(id, chunk);
	if (store_get(store, STORE_CONTENT, &key, &octets) == 0)
		return damaged(what, too_many);
	return errno == ENOENT ? 0 : -1;
}

static int
write_chunk(struct bytes octets, void *context)
{
	const int *fd = context;

	return content_write(*fd, octets.data, octets.length);
}

int
store_content_load(struct store *store, uint64_t id, uint64_t size)
{
	int fd = content_create(), error;
	const char *what;

	if (fd == -1)
		return -1;
	if (read_chunks(store, id, size, write_chunk, &fd, &what) == 0 &&
	    content_seal(fd) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
pass_chunk(struct bytes octets, void *context)
{
	(void)octets;
	(void)context;
	return 0;
}

int
store_content_check(struct store *store, uint64_t id,
    const struct row_message *row, const char **what)
{
	*what = "the content cannot be read";
	return read_chunks(store, id, row->size, pass_chunk, NULL, what);
}
