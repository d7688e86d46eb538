#include "ctl/connect.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/string.h>

#include "common/monotime.h"
#include "common/record.h"
#include "ctl/format.h"

/* Longer than any socket's may be, so that it is told in full. */
#define PATH_SIZE 1024

static int
say_refused(const char *path, int error, bool is_queue)
{
	switch (error) {
	case EACCES:
	case EPERM:
		fprintf(stderr, "posternctl: you may not use %s: %s\n", path,
		    is_queue ? "be root, or a member of the group "
			       "postern-admin"
			     : "only root may");
		return EX_NOPERM;
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		fprintf(stderr,
		    "posternctl: postern does not run: nobody listens on %s\n"
		    "Start it with \"postern\", as root; if it uses another "
		    "configuration, name that with -c FILE.\n",
		    path);
		return EX_UNAVAILABLE;
	case ENAMETOOLONG:
		fprintf(
		    stderr, "posternctl: %s: too long for a socket\n", path);
		return EX_CONFIG;
	case EAGAIN:
		fprintf(stderr,
		    "posternctl: %s is busy with other clients: try again\n",
		    path);
		return EX_TEMPFAIL;
	default:
		fprintf(stderr, "posternctl: %s: %s\n", path, strerror(error));
		return EX_OSERR;
	}
}

/* A server that has hung must not hang us. */
static int
be_patient(int fd)
{
	struct timeval patience = { .tv_sec = CONNECT_PATIENCE };

	if (setsockopt(
		fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == -1)
		return -1;
	return setsockopt(
	    fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

/* A new connection to this socket. -1 with errno. */
static int
dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error, fd;

	if (strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (be_patient(fd) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Writes the path of the socket. */
static int
dial_in(struct connection *c, const char *run, const char *name, char *path)
{
	snprintf(path, PATH_SIZE, "%s/%s", run, name);
	c->fd = dial(path);
	return c->fd == -1 ? -1 : 0;
}

/* Whoever may not use the queue's control socket may ask for their own mail by
 * another. */
int
connect_open(struct connection *c, const char *run, enum program server)
{
	bool is_queue = server == PROGRAM_QUEUE;
	char path[PATH_SIZE], other[PATH_SIZE];
	int error;

	*c = (struct connection){ .fd = -1, .server = server };
	if (dial_in(c, run, is_queue ? "control" : "supervisor", path) == 0)
		return EX_OK;
	error = errno;
	if (is_queue && (error == EACCES || error == EPERM)) {
		if (dial_in(c, run, "users", other) == 0) {
			c->is_user = true;
			return EX_OK;
		}
		if (errno == EAGAIN)
			return say_refused(other, EAGAIN, true);
	}
	return say_refused(path, error, is_queue);
}

void
connect_close(struct connection *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

static int
say_broken(const struct connection *c, int error)
{
	if (error == ECANCELED)
		return EX_TEMPFAIL;
	if (error == EPROTO) {
		fprintf(stderr,
		    "posternctl: the %s sent something that is not an answer: "
		    "is it of another version?\n",
		    program_name(c->server));
		return EX_PROTOCOL;
	}
	if (c->is_user && error != EAGAIN)
		fprintf(stderr,
		    "posternctl: the queue ended the connection: it answers "
		    "few users at a time; try again\n");
	else if (error == EAGAIN)
		fprintf(stderr,
		    "posternctl: no answer from the %s within %d seconds\n",
		    program_name(c->server), CONNECT_PATIENCE);
	else
		fprintf(stderr,
		    "posternctl: the %s ended the connection: it has been "
		    "restarted, or is not ours to ask; try again\n",
		    program_name(c->server));
	return EX_TEMPFAIL;
}

static int
take_end(struct connection *c, const struct message *m, bool quiet)
{
	c->count = m->ctl_end.count;
	strlcpy(c->text, m->ctl_end.text, sizeof(c->text));
	if (!quiet && (c->text[0] != '\0' || m->ctl_end.code != EX_OK)) {
		fputs("posternctl: ", stderr);
		format_print(stderr, c->text[0] != '\0' ? c->text : "failed");
		fputc('\n', stderr);
	}
	return m->ctl_end.code;
}

/* Until there is something to read. -1 with errno: EAGAIN there never was, or
 * ECANCELED. */
static int
be_attentive(const struct connection *c)
{
	struct pollfd fds[] = {
		{ .fd = c->fd, .events = POLLIN },
		{ .fd = c->watch, .events = POLLIN },
	};
	struct monotime end =
	    monotime_add_ms(monotime_now(), CONNECT_PATIENCE * INT64_C(1000));

	do {
		int ready = poll(fds, 2, 1000);

		if (ready == -1 && errno != EINTR)
			return -1;
		if ((ready != 1 || fds[1].revents != 0) &&
		    !c->attend(c->context)) {
			errno = ECANCELED;
			return -1;
		}
		if (ready > 0 && fds[0].revents != 0)
			return 0;
	} while (monotime_is_before(monotime_now(), end));
	errno = EAGAIN;
	return -1;
}

static int
read_answer(const struct connection *c, void *record, struct message *m)
{
	if (c->attend != NULL && be_attentive(c) == -1)
		return -1;
	return record_read(c->fd, record, m, PROGRAM_CTL, c->server, 0);
}

int
connect_ask(struct connection *c, struct message *question,
    connect_receive *receive, void *context, bool quiet)
{
	static uint8_t record[LIMIT_RECORD];
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);
	int code = EX_OK;

	question->handle = ++c->handle;
	c->count = 0;
	c->text[0] = '\0';
	if (record_write(c->fd, question, 0) == -1)
		return say_broken(c, errno);
	while (code == EX_OK) {
		int got = read_answer(c, record, &m);

		if (got != 1)
			return say_broken(c, got == 0 ? ECONNRESET : errno);
		if (m.handle != c->handle)
			code = EX_PROTOCOL;
		else if (m.type == MESSAGE_CTL_END)
			return take_end(c, &m, quiet);
		else
			code = receive(&m, context);
		if (code == EX_OK && c->out != NULL && ferror(c->out))
			code = EX_IOERR;
		if (m.fd != -1)
			close(message_take_fd(&m));
	}
	return code == EX_PROTOCOL ? say_broken(c, EPROTO) : code;
}

int
connect_ask_queue(const struct ctl *ctl, struct message *question,
    connect_receive *receive, void *context)
{
	struct connection c;
	int code = connect_open(&c, ctl->run, PROGRAM_QUEUE);

	c.out = ctl->out;
	if (code == EX_OK)
		code = connect_ask(&c, question, receive, context, false);
	connect_close(&c);
	return code;
}

int
connect_receive_none(const struct message *m, void *context)
{
	(void)m;
	(void)context;
	return EX_PROTOCOL;
}
