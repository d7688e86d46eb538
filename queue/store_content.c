#include "queue/store_content.h"

#include <errno.h>
#include <string.h>
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

/* One chunk of a message of this size, lent from the store. */
static int
get_chunk(struct store *store, uint64_t id, uint64_t size, uint32_t chunk,
    struct bytes *octets)
{
	struct row_key key = row_key_number(id, chunk);
	uint64_t left = size - (uint64_t)chunk * ROW_CHUNK_SIZE;
	size_t length = left < ROW_CHUNK_SIZE ? (size_t)left : ROW_CHUNK_SIZE;

	if (store_get(store, STORE_CONTENT, &key, octets) == -1) {
		if (errno == ENOENT)
			errno = EBADMSG;
		return -1;
	}
	if (octets->length == length)
		return 0;
	errno = EBADMSG;
	return -1;
}

ssize_t
store_content_head(
    struct store *store, uint64_t id, uint64_t size, char *octets, size_t most)
{
	size_t whole = size < most ? (size_t)size : most;
	uint32_t chunk = 0;
	struct bytes from;

	for (size_t at = 0; at < whole; at += from.length) {
		if (get_chunk(store, id, size, chunk++, &from) == -1)
			return -1;
		memcpy(octets + at, from.data,
		    from.length < whole - at ? from.length : whole - at);
	}
	return (ssize_t)whole;
}

static int
copy_out(struct store *store, uint64_t id, uint64_t size, int fd)
{
	uint32_t chunk = 0;

	for (uint64_t at = 0; at < size; at += ROW_CHUNK_SIZE) {
		struct bytes octets;

		if (get_chunk(store, id, size, chunk++, &octets) == -1 ||
		    content_write(fd, octets.data, octets.length) == -1)
			return -1;
	}
	return content_seal(fd);
}

int
store_content_load(struct store *store, uint64_t id, uint64_t size)
{
	int fd = content_create(), error;

	if (fd == -1)
		return -1;
	if (copy_out(store, id, size, fd) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
