#include "smtpd/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/content.h"
#include "common/limits.h"

#define FIRST_CAPACITY 8192

struct intake {
	uint8_t *buffer;
	size_t length, capacity;
	int fd;	       /* -1 while all is in the buffer */
	uint64_t size; /* of all */
};

static uint64_t in_hand;

struct intake *
intake_new(void)
{
	struct intake *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return NULL;
	i->fd = -1;
	i->capacity = FIRST_CAPACITY;
	i->buffer = malloc(i->capacity);
	if (i->buffer == NULL)
		intake_free(&i);
	return i;
}

/* Of all that it holds. */
static void
let_go(struct intake *i)
{
	in_hand -= i->size;
	i->size = 0;
	if (i->fd != -1)
		close(i->fd);
	i->fd = -1;
	free(i->buffer);
	i->buffer = NULL;
}

void
intake_free(struct intake **pointer)
{
	struct intake *i = *pointer;

	*pointer = NULL;
	if (i == NULL)
		return;
	let_go(i);
	free(i);
}

bool
intake_has_room(uint64_t octets)
{
	return octets <= LIMIT_CONTENT_IN_HAND - in_hand;
}

/* Moves the buffer into the memfd. */
static int
write_out(struct intake *i)
{
	if (i->fd == -1) {
		i->fd = content_create();
		if (i->fd == -1)
			return -1;
	}
	if (content_write(i->fd, i->buffer, i->length) == -1)
		return -1;
	i->length = 0;
	return 0;
}

static int
make_room(struct intake *i, size_t length)
{
	size_t capacity = i->capacity;
	uint8_t *bigger;

	while (capacity - i->length < length && capacity < INTAKE_BUFFER)
		capacity *= 2;
	if (capacity > i->capacity) {
		bigger = realloc(i->buffer, capacity);
		if (bigger == NULL)
			return -1;
		i->buffer = bigger;
		i->capacity = capacity;
	}
	return capacity - i->length < length ? write_out(i) : 0;
}

static int
keep(struct intake *i, const void *data, size_t length)
{
	if (!intake_has_room(length)) {
		errno = ENOBUFS;
		return -1;
	}
	if (make_room(i, length) == -1)
		return -1;
	if (length > i->capacity - i->length) {
		if (content_write(i->fd, data, length) == -1)
			return -1;
	} else {
		memcpy(i->buffer + i->length, data, length);
		i->length += length;
	}
	i->size += length;
	in_hand += length;
	return 0;
}

int
intake_add(struct intake *i, const void *data, size_t length)
{
	int error;

	if (keep(i, data, length) == 0)
		return 0;
	/* The rest of the message may take its time: others need the room. */
	error = errno;
	let_go(i);
	errno = error;
	return -1;
}

int
intake_finish(struct intake *i, uint64_t *size)
{
	int fd;

	if (write_out(i) == -1 || content_seal(i->fd) == -1)
		return -1;
	*size = i->size;
	fd = i->fd;
	i->fd = -1;
	free(i->buffer);
	i->buffer = NULL;
	return fd;
}
