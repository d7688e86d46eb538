#include "queue/store_content.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/content.h"
#include "queue/digest.h"
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

/* The checksum is made of what was just read and is still in the processor's
 * cache. */
int
store_content_put(
    struct store *store, uint64_t id, int fd, uint64_t size, uint64_t *digest)
{
	struct digest d;
	uint32_t chunk = 0;

	digest_begin(&d);
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
		digest_add(&d, octets, length);
	}
	*digest = digest_end(&d);
	return 0;
}

int
store_content_delete(struct store *store, uint64_t id)
{
	struct row_key from = row_key_number(id, 0);
	struct bytes key, value;
	int found = store_seek(store, STORE_CONTENT, &from, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_CONTENT, &key, &value)) {
		uint64_t of;
		uint32_t chunk;

		/* A damaged key is nobody's: it stays, and stops nothing. */
		if (row_key_number_read(key.data, key.length, &of, &chunk) ==
		    -1)
			continue;
		if (of != id)
			return 0;
		if (store_delete_here(store, STORE_CONTENT) == -1)
			return -1;
	}
	return errno == ENOENT ? 0 : -1;
}

static const char missing[] = "a chunk of the content is missing";
static const char wrong_length[] = "a chunk of the content has another length";
static const char too_many[] = "there is more content than there should be";
static const char altered[] = "the content has another checksum";

static int
damaged(const char **what, const char *how)
{
	*what = how;
	errno = EBADMSG;
	return -1;
}

/* One chunk of a message of this size, lent from the store. */
static int
get_chunk(struct store *store, uint64_t id, uint64_t size, uint32_t chunk,
    struct bytes *octets, const char **what)
{
	struct row_key key = row_key_number(id, chunk);
	uint64_t left = size - (uint64_t)chunk * ROW_CHUNK_SIZE;

	if (store_get(store, STORE_CONTENT, &key, octets) == -1)
		return errno == ENOENT ? damaged(what, missing) : -1;
	if (octets->length != (left < ROW_CHUNK_SIZE ? left : ROW_CHUNK_SIZE))
		return damaged(what, wrong_length);
	return 0;
}

/* Reads all of it, and writes it to `fd` unless that is -1. */
static int
read_chunks(struct store *store, uint64_t id, uint64_t size, int fd,
    struct digest *d, const char **what)
{
	struct row_key next;
	struct bytes octets;
	uint32_t chunk = 0;

	for (uint64_t at = 0; at < size; at += ROW_CHUNK_SIZE) {
		if (get_chunk(store, id, size, chunk++, &octets, what) == -1)
			return -1;
		digest_add(d, octets.data, octets.length);
		if (fd != -1 &&
		    content_write(fd, octets.data, octets.length) == -1)
			return -1;
	}
	next = row_key_number(id, chunk);
	if (store_get(store, STORE_CONTENT, &next, &octets) == 0)
		return damaged(what, too_many);
	return errno == ENOENT ? 0 : -1;
}

static int
read_content(struct store *store, uint64_t id, const struct row_message *row,
    int fd, uint64_t *digest, const char **what)
{
	struct digest d;

	*what = "the content cannot be read";
	digest_begin(&d);
	if (read_chunks(store, id, row->size, fd, &d, what) == -1)
		return -1;
	*digest = digest_end(&d);
	/* What was stored before there were checksums has none. */
	if (row->digest != 0 && row->digest != *digest)
		return damaged(what, altered);
	return 0;
}

int
store_content_load(
    struct store *store, uint64_t id, const struct row_message *row)
{
	int fd = content_create(), error;
	uint64_t digest;
	const char *what;

	if (fd == -1)
		return -1;
	if (read_content(store, id, row, fd, &digest, &what) == 0 &&
	    content_seal(fd) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
store_content_check(struct store *store, uint64_t id,
    const struct row_message *row, uint64_t *digest, const char **what)
{
	return read_content(store, id, row, -1, digest, what);
}

ssize_t
store_content_head(
    struct store *store, uint64_t id, uint64_t size, char *octets, size_t most)
{
	size_t whole = size < most ? (size_t)size : most;
	uint32_t chunk = 0;
	struct bytes from;
	const char *what;

	for (size_t at = 0; at < whole; at += from.length) {
		if (get_chunk(store, id, size, chunk++, &from, &what) == -1)
			return -1;
		memcpy(octets + at, from.data,
		    from.length < whole - at ? from.length : whole - at);
	}
	return (ssize_t)whole;
}
