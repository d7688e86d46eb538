#include "deliver/local/copy_file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/content.h"
#include "deliver/local/header.h"
#include "deliver/local/intake.h"

/* Large enough that system calls do not count, small enough for the cache. */
#define BUFFER_SIZE (128 * 1024)

struct writer {
	int fd;
	size_t used;
	uint64_t octets;
	uint8_t buffer[BUFFER_SIZE];
};

static int
flush(struct writer *w)
{
	if (content_write(w->fd, w->buffer, w->used) == -1)
		return -1;
	w->octets += w->used;
	w->used = 0;
	return 0;
}

static int
write_content(
    struct writer *w, struct header *h, const uint8_t *data, uint64_t size)
{
	uint64_t at = 0;

	while (at < size) {
		size_t room = sizeof(w->buffer) - w->used - HEADER_SLACK;
		size_t piece = size - at < room ? (size_t)(size - at) : room;

		w->used +=
		    header_feed(h, data + at, piece, w->buffer + w->used);
		at += piece;
		if (header_found_loop(h)) {
			errno = ELOOP;
			return -1;
		}
		if (sizeof(w->buffer) - w->used < sizeof(w->buffer) / 2 &&
		    flush(w) == -1)
			return -1;
	}
	w->used += header_finish(h, w->buffer + w->used);
	if (header_found_loop(h)) {
		errno = ELOOP;
		return -1;
	}
	return flush(w);
}

int
copy_file_write(int fd, const struct copy *copy, struct copy_size *size)
{
	static struct writer w;
	const struct letter *letter = copy->letter;
	const uint8_t *data = content_map(letter->fd, letter->size);
	struct header h;
	int prefix, result;

	if (data == NULL)
		return -1;
	w.fd = fd;
	w.octets = 0;
	prefix = snprintf((char *)w.buffer, sizeof(w.buffer),
	    "Return-Path: <%s>\nDelivered-To: %s\n", letter->sender,
	    copy->address);
	w.used = (size_t)prefix;
	header_begin(&h, copy->address);
	result = write_content(&w, &h, data, letter->size);
	content_unmap(data, letter->size);
	size->octets = w.octets;
	size->lines = h.lines + 2; /* the prefix */
	return result;
}
