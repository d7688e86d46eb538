#include "common/channel.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/record.h"

struct waiting {
	STAILQ_ENTRY(waiting) next;
	int fd;
	size_t length;
	uint8_t record[];
};

struct channel {
	int fd;
	enum program self, peer;
	const struct channel_handler *handler;
	void *context;
	struct event *readable, *writable, *retry, *failed;
	STAILQ_HEAD(, waiting) queue;
	unsigned int queued;
	bool broken; /* to be closed from the event loop */
	bool *freed; /* set if the handler freed the channel */
};

static void on_readable(evutil_socket_t, short, void *);
static void on_writable(evutil_socket_t, short, void *);
static void on_failed(evutil_socket_t, short, void *);

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

struct channel *
channel_new(struct event_base *base, int fd_take, enum program self,
    enum program peer, const struct channel_handler *handler, void *context)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (c == NULL || evutil_make_socket_nonblocking(fd_take) == -1) {
		close(fd_take);
		free(c);
		return NULL;
	}
	c->fd = fd_take;
	c->self = self;
	c->peer = peer;
	c->handler = handler;
	c->context = context;
	STAILQ_INIT(&c->queue);
	c->readable =
	    event_new(base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, c->fd, EV_WRITE, on_writable, c);
	c->retry = event_new(base, -1, 0, on_writable, c);
	c->failed = event_new(base, -1, 0, on_failed, c);
	/* Before all else, where there are priorities. */
	if (c->readable == NULL || c->writable == NULL || c->retry == NULL ||
	    c->failed == NULL || event_priority_set(c->readable, 0) == -1 ||
	    event_priority_set(c->writable, 0) == -1 ||
	    event_priority_set(c->retry, 0) == -1 ||
	    event_priority_set(c->failed, 0) == -1 ||
	    event_add(c->readable, NULL) == -1) {
		channel_free(&c);
		errno = ENOMEM;
	}
	return c;
}

static void
discard_first(struct channel *c)
{
	struct waiting *w = STAILQ_FIRST(&c->queue);

	STAILQ_REMOVE_HEAD(&c->queue, next);
	c->queued--;
	close_fd(&w->fd);
	free(w);
}

void
channel_free(struct channel **pointer)
{
	struct channel *c = *pointer;

	*pointer = NULL;
	if (c == NULL)
		return;
	if (c->freed != NULL)
		*c->freed = true;
	while (!STAILQ_EMPTY(&c->queue))
		discard_first(c);
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->retry != NULL)
		event_free(c->retry);
	if (c->failed != NULL)
		event_free(c->failed);
	close_fd(&c->fd);
	free(c);
}

static void
channel_end(struct channel *c)
{
	c->handler->closed(c, c->context);
	channel_free(&c);
}

/* Marks the link as dead; the event loop then closes it. */
static void
channel_break(struct channel *c)
{
	if (c->broken)
		return;
	c->broken = true;
	event_active(c->failed, 0, 0);
}

static void
on_failed(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	channel_end(argument);
}

/* `message`: the one that was wrong, if it could be read. */
static void
tell_of_break(const struct channel *c, const struct message *m)
{
	const char *error = strerror(errno);

	if (c->handler->broken != NULL && !c->handler->broken(c->context))
		return;
	if (m == NULL)
		log_warn("link-error peer=%s error=\"%s\"",
		    program_name(c->peer), error);
	else
		log_warn("link-protocol peer=%s message=%s handle=%u",
		    program_name(c->peer), message_type_name(m->type),
		    m->handle);
}

/* Reads one message and gives it to the handler. False if there is nothing
 * more to do on this channel now, or the channel is gone. */
static bool
receive_one(struct channel *c, void *record)
{
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);
	bool freed = false;
	int handled;

	switch (
	    record_read(c->fd, record, &m, c->self, c->peer, MSG_DONTWAIT)) {
	case 1:
		break;
	case 0:
		channel_end(c);
		return false;
	default:
		if (errno == EAGAIN)
			return false;
		/* A reset is how it ends who has not read all. */
		if (errno != ECONNRESET)
			tell_of_break(c, NULL);
		channel_end(c);
		return false;
	}
	/* cppcheck-suppress autoVariables; taken back, unless c is freed */
	c->freed = &freed;
	handled = c->handler->receive(c, &m, c->context);
	close_fd(&m.fd);
	if (freed)
		return false;
	c->freed = NULL;
	if (handled == -1) {
		tell_of_break(c, &m);
		channel_end(c);
		return false;
	}
	return !c->broken;
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	static uint8_t record[LIMIT_RECORD];
	struct channel *c = argument;

	(void)fd;
	(void)what;
	if (c->broken)
		return;
	for (int turn = 0; turn < LIMIT_CHANNEL_TURN; turn++)
		if (!receive_one(c, record))
			return;
}

/* ETOOMANYREFS: too many descriptors of this user are in flight; they drain
 * as the peers read, so it is like a full socket. */
static bool
must_wait(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM ||
	       error == ETOOMANYREFS;
}

static void
wait_for_room(struct channel *c, int error)
{
	static const struct timeval soon = { 0, 5000 };

	/* A full socket wakes us. The other lacks have no event of theirs, and
	 * the socket says all the time that it is writable. */
	if (error == EAGAIN)
		event_add(c->writable, NULL);
	else
		event_add(c->retry, &soon);
}

static int
enqueue(struct channel *c, const void *record, size_t length, int fd_take)
{
	struct waiting *w;

	if (c->queued >= LIMIT_CHANNEL_QUEUE) {
		log_warn("link-full peer=%s", program_name(c->peer));
		close_fd(&fd_take);
		channel_break(c);
		errno = ENOBUFS;
		return -1;
	}
	w = malloc(sizeof(*w) + length);
	if (w == NULL) {
		close_fd(&fd_take);
		channel_break(c);
		return -1;
	}
	w->fd = fd_take;
	w->length = length;
	memcpy(w->record, record, length);
	STAILQ_INSERT_TAIL(&c->queue, w, next);
	c->queued++;
	return 0;
}

int
channel_send(struct channel *c, struct message *m)
{
	uint8_t record[LIMIT_RECORD];
	ssize_t length = message_encode(m, record, sizeof(record));
	int fd = message_take_fd(m);

	if (length == -1 || c->broken) {
		if (length != -1)
			errno = EPIPE;
		close_fd(&fd);
		return -1;
	}
	if (c->queued == 0) {
		if (record_send(c->fd, record, (size_t)length, fd,
			MSG_DONTWAIT) != -1) {
			close_fd(&fd);
			return 0;
		}
		if (!must_wait(errno)) {
			close_fd(&fd);
			channel_break(c);
			return -1;
		}
		wait_for_room(c, errno);
	}
	return enqueue(c, record, (size_t)length, fd);
}

static void
on_writable(evutil_socket_t fd, short what, void *argument)
{
	struct channel *c = argument;

	(void)fd;
	(void)what;
	if (c->broken)
		return;
	while (!STAILQ_EMPTY(&c->queue)) {
		struct waiting *w = STAILQ_FIRST(&c->queue);

		if (record_send(c->fd, w->record, w->length, w->fd,
			MSG_DONTWAIT) == -1) {
			if (must_wait(errno))
				wait_for_room(c, errno);
			else
				channel_break(c);
			return;
		}
		discard_first(c);
	}
}

unsigned int
channel_queued(const struct channel *c)
{
	return c->queued;
}

void
channel_pause(struct channel *c)
{
	event_del(c->readable);
}

void
channel_resume(struct channel *c)
{
	event_add(c->readable, NULL);
}

enum program
channel_peer(const struct channel *c)
{
	return c->peer;
}
