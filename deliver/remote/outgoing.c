#include "deliver/remote/outgoing.h"

#include <errno.h>
#include <unistd.h>

#include <event2/buffer.h>

#define CONTENT_CHUNK 32768

void
outgoing_begin(struct outgoing *o, int content, uint64_t size)
{
	o->content = content;
	o->size = size;
	o->offset = 0;
	o->stuffing = (struct stuffing){ STUFFING_LINE_START };
	o->content_put = false;
}

/* Puts the next piece of the content into the buffer. */
static int
add_content(struct outgoing *o, struct evbuffer *output)
{
	static uint8_t chunk[CONTENT_CHUNK];
	struct evbuffer_iovec space;
	ssize_t n = pread(o->content, chunk, sizeof(chunk), o->offset);

	if (n == -1)
		return errno == EINTR ? 0 : -1;
	if (evbuffer_reserve_space(output,
		(ev_ssize_t)(STUFFING_SIZE((size_t)n) + STUFFING_END_SIZE),
		&space, 1) != 1) {
		errno = ENOMEM;
		return -1;
	}
	o->offset += n;
	space.iov_len =
	    stuffing_add(&o->stuffing, chunk, (size_t)n, space.iov_base);
	if ((uint64_t)o->offset >= o->size || n == 0) {
		space.iov_len += stuffing_end(
		    &o->stuffing, (uint8_t *)space.iov_base + space.iov_len);
		o->content_put = true;
	}
	o->put += space.iov_len;
	return evbuffer_commit_space(output, &space, 1);
}

int
outgoing_fill(struct outgoing *o, struct session *s, struct evbuffer *output)
{
	char commands[8 * SESSION_COMMAND_SIZE];

	while (evbuffer_get_length(output) < OUTGOING_HIGH) {
		size_t n;

		if (session_state(s) == SESSION_CONTENT) {
			if (o->content_put)
				break;
			if (add_content(o, output) == -1)
				return -1;
			continue;
		}
		n = session_output(s, commands, sizeof(commands));
		if (n == 0)
			break;
		if (evbuffer_add(output, commands, n) == -1)
			return -1;
		o->put += n;
	}
	return 0;
}

uint64_t
outgoing_taken(const struct outgoing *o, const struct evbuffer *output)
{
	return o->put - evbuffer_get_length(output);
}

bool
outgoing_is_through(const struct outgoing *o, const struct evbuffer *output)
{
	return o->content_put && evbuffer_get_length(output) == 0;
}
