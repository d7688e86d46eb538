#include "deliver/local/copy_file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/content.h"
#include "deliver/local/header.h"
#include "deliver/local/intake.h"

/* Large enough that system calls do not count, small enough for the cache. The
 * content is read, not mapped: for most messages a mapping costs more. */
#define PIECE_SIZE ((size_t)64 * 1024)
#define BUFFER_SIZE (2 * PIECE_SIZE)

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

/* The content is sealed: it is as long as it was found to be. */
static ssize_t
read_piece(int fd, uint8_t *piece, size_t size, uint64_t at)
{
	ssize_t n;

	do
		n = pread(fd, piece, size, (off_t)at);
	while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = EIO;
	return n > 0 ? n : -1;
}

static int
check_loop(const struct header *h)
{
	if (!header_found_loop(h))
		return 0;
	errno = ELOOP;
	return -1;
}

static int
write_content(struct writer *w, struct header *h, const struct letter *letter)
{
	static uint8_t piece[PIECE_SIZE];
	uint64_t at = 0;

	while (at < letter->size) {
		ssize_t n = read_piece(letter->fd, piece, sizeof(piece), at);

		if (n == -1)
			return -1;
		if (sizeof(w->buffer) - w->used < (size_t)n + HEADER_SLACK &&
		    flush(w) == -1)
			return -1;
		w->used +=
		    header_feed(h, piece, (size_t)n, w->buffer + w->used);
		if (check_loop(h) == -1)
			return -1;
		at += (uint64_t)n;
	}
	if (sizeof(w->buffer) - w->used < HEADER_SLACK && flush(w) == -1)
		return -1;
	w->used += header_finish(h, w->buffer + w->used);
	return check_loop(h) == -1 ? -1 : flush(w);
}

int
copy_file_write(int fd, const struct copy *copy, struct copy_size *size)
{
	static struct writer w;
	const struct letter *letter = copy->letter;
	struct header h;
	int prefix, result;

	w.fd = fd;
	w.octets = 0;
	prefix = snprintf((char *)w.buffer, sizeof(w.buffer),
	    "Return-Path: <%s>\nDelivered-To: %s\n", letter->sender,
	    copy->address);
	w.used = (size_t)prefix;
	header_begin(&h, copy->address);
	result = write_content(&w, &h, letter);
	size->octets = w.octets;
	size->lines = h.lines + 2; /* the prefix */
	return result;
}
