/*
 * What waits in the queue that is made up, and the process that it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <bsd/string.h>
#include <event2/event.h>

#include "common/acceptor.h"
#include "common/content.h"
#include "common/id.h"
#include "common/monotime.h"
#include "common/record.h"
#include "queue/control_client.h"
#include "queue/control_peer.h"
#include "queue/link_control.h"

#include "tests/unit/ctl/false_queue_private.h"

struct row_recipient false_rows[SPECIAL] = {
	{ .address = "bob@other.test",
	    .original = "robert@here.test",
	    .kind = ROUTE_MX,
	    .name = "",
	    .user = "",
	    .destination = "mx:other.test",
	    .state = RECIPIENT_WAITING,
	    .attempts = 3,
	    .due = NOW + 300,
	    .host = "mx.other.test",
	    .reply = "450-4.2.0 not\r\n450 4.2.0 \033[2Jnow",
	    .notify = DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY,
	    .orcpt = "rfc822;robert+2Bx@here.test" },
	{ .address = "carol@here.test",
	    .original = "carol@here.test",
	    .kind = ROUTE_MAILBOX,
	    .name = "people",
	    .user = "carol",
	    .destination = "local:carol",
	    .state = RECIPIENT_HELD,
	    .host = "",
	    .reply = "" },
	{ .address = "dave@far.test",
	    .original = "dave@far.test",
	    .kind = ROUTE_RELAY,
	    .name = "smart",
	    .user = "",
	    .destination = "relay:smart",
	    .state = RECIPIENT_FAILED,
	    .attempts = 1,
	    .host = "",
	    .reply = "550 no \"such\" \xff" },
};
bool false_gone[SPECIAL];
unsigned int false_late;

static const struct row_message messages[] = {
	{ .arrival = (NOW - 7200) * UINT64_C(1000),
	    .size = 4300,
	    .sender = "alice@here.test",
	    .client_address = "192.0.2.7",
	    .helo = "laptop",
	    .user = "",
	    .protocol = SMTP_PROTOCOL_ESMTP,
	    .body = SMTP_BODY_8BITMIME,
	    .ret = DSN_RET_HDRS,
	    .envid = "QQ+20x" },
	{ .arrival = (NOW - 5) * UINT64_C(1000),
	    .size = 11,
	    .sender = "",
	    .client_address = "",
	    .helo = "",
	    .user = "" },
};

const char false_queue_content[] = "A: b\r\n\r\nhi\a";

static const struct row_recipient common_row = {
	.address = "user@many.test",
	.original = "user@many.test",
	.kind = ROUTE_MX,
	.name = "",
	.user = "",
	.destination = "mx:many.test",
	.state = RECIPIENT_WAITING,
	.host = "",
	.reply = "",
};

/* The first two recipients are of one message. */
static uint64_t
id_of(size_t index)
{
	return index < 2 ? ID(0) : ID(index);
}

static bool
matches(
    const struct query_filter *f, uint64_t id, const struct row_recipient *r)
{
	return (f->id == 0 || f->id == id) &&
	       (f->recipient[0] == '\0' ||
		   strcasecmp(f->recipient, r->address) == 0) &&
	       (f->state == 0 || f->state == r->state + 1);
}

int
query_items(const struct query_filter *f, struct query_place *place,
    unsigned int most, bool (*each)(const struct query_item *, void *),
    void *context)
{
	for (; most > 0; most--, place->id++) {
		size_t at = place->id;
		struct query_item item = {
			.id = id_of(at),
			.number = at == 1 ? 1 : 0,
			.message = &messages[at < 2 ? 0 : 1],
			.recipient =
			    at < SPECIAL ? &false_rows[at] : &common_row,
		};

		if (at == SPECIAL + MANY + false_late ||
		    (f->last != 0 && item.id > f->last))
			return 0;
		item.next_try = item.recipient->due;
		item.paused = false_pause_kind(item.recipient->destination);
		if (at < SPECIAL && false_gone[at])
			continue;
		if (matches(f, item.id, item.recipient) &&
		    !each(&item, context))
			return 1;
	}
	return 1;
}

int
query_newest(uint64_t *id)
{
	*id = id_of(SPECIAL + MANY + false_late - 1);
	return 0;
}

/* Of a user who has nothing there, but takes time. */
int
query_line(const char *destination, const struct query_filter *f,
    struct row_place *place, unsigned int most,
    bool (*each)(const struct query_item *, void *), void *context)
{
	struct monotime start = monotime_now();

	(void)f;
	(void)most;
	(void)each;
	(void)context;
	if (strcmp(destination, "local:slow") != 0)
		_exit(1);
	while (monotime_now().nanoseconds - start.nanoseconds < SLOW_US * 1000)
		continue;
	return ++place->time < SLOW_STEPS;
}

int
query_kept(const char *destination, uint64_t *kept)
{
	(void)destination;
	*kept = 0;
	return 0;
}

int
query_message(uint64_t id,
    void (*each)(uint64_t, const struct row_message *, void *), void *context)
{
	if (id != ID(0)) {
		errno = ENOENT;
		return -1;
	}
	each(id, &messages[0], context);
	return 0;
}

int
query_content(uint64_t id)
{
	int fd;

	if (id == ID(2))
		errno = EIO;
	else if (id != ID(0))
		errno = ENOENT;
	if (id != ID(0))
		return -1;
	fd = content_create();
	if (fd == -1 || ftruncate(fd, (off_t)messages[0].size) == -1 ||
	    content_write(fd, false_queue_content,
		sizeof(false_queue_content) - 1) == -1 ||
	    content_seal(fd) == -1)
		_exit(1);
	return fd;
}

void
query_stats(bool (*each)(const struct query_stat *, void *), void *context)
{
	static const struct query_stat some[] = {
		{ "accepted", "messages taken", 7, true },
		{ "waiting", "recipients that wait", 2, false },
	};

	if (each(&some[0], context))
		each(&some[1], context);
}

/* One that is down, one that is well, then very many. */
static const struct row_destination places[] = {
	{ .waiting = 12345,
	    .failures = 3,
	    .wake = NOW + 720,
	    .backoff_until = NOW + 720,
	    .reply = "421 4.3.2 \033[2Jbusy" },
	{ .waiting = 1, .held = 2, .failed = 3, .wake = NOW, .reply = "" },
};

int
query_destinations(const char *wanted, char *place, unsigned int most,
    bool (*each)(const struct query_destination *, void *), void *context)
{
	unsigned int at =
	    place[0] == '\0' ? 0 : (unsigned int)strtoul(place + 4, NULL, 10);

	for (; at < MANY; at++, most--) {
		char name[32];
		struct query_destination d = {
			.name = name,
			.row = &places[at < 2 ? at : 1],
			.in_flight = at == 1 ? 9 : 0,
			.deliveries = at == 1 ? 2 : 0,
			.window = at == 1 ? 20 : 1,
		};

		snprintf(name, sizeof(name), "mx:n%u.test", at);
		strlcpy(place, name, LIMIT_DESTINATION + 1);
		if (most == 0)
			return 1;
		if (wanted[0] != '\0' && strcasecmp(wanted, name) != 0)
			continue;
		if (!each(&d, context))
			return 1;
	}
	return 0;
}

/* -- The process ------------------------------------------------------------ */

/* -- Users ------------------------------------------------------------------ */

static void
on_user_left(void)
{
}

static struct control_door users_door = {
	.name = "users",
	.most = 2,
	.idle_ms = 3000,
	.rest_us = 1000,
	.rest_times = 9,
	.left = on_user_left,
};

static void
on_user(int fd, const struct sockaddr *from, void *context)
{
	const struct control_peer who = { .own = "local:slow" };

	(void)from;
	(void)context;
	if (control_client_add(&users_door, fd, &who) == -1)
		_exit(1);
}

static void
serve(int listener)
{
	struct event_base *base = event_base_new();

	if (acceptor_new(base, run_listen("users"), on_user, NULL) == NULL)
		_exit(1);
	false_acts_start(base);
	control_clients_start(base);
	control_start(base, listener);
	event_base_dispatch(base);
}

static pid_t server;

int
false_queue_start(void **state)
{
	if (run_prepare(state) == -1)
		return -1;
	server = run_server(serve, "control");
	return 0;
}

/* It must have lived through everything. */
int
false_queue_stop(void **state)
{
	int alive = waitpid(server, NULL, WNOHANG);

	(void)state;
	run_stop(server);
	run_clean_up();
	return alive == 0 ? 0 : -1;
}

static int
dial(const char *name)
{
	struct sockaddr_un address;
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	run_socket_path(&address, name);
	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

int
false_queue_dial(void)
{
	return dial("control");
}

int
false_queue_dial_user(void)
{
	return dial("users");
}

void
false_queue_ask_for_all(int fd)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_LIST, 7);

	assert_int_equal(record_write(fd, &m, 0), 0);
}

const char *
id_text(size_t n)
{
	static struct id_text text;

	text = id_format(ID(n));
	return text.text;
}

size_t
false_queue_read_answer(int fd)
{
	static uint8_t record[LIMIT_RECORD];
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);
	size_t items = 0;

	while (
	    record_read(fd, record, &m, PROGRAM_CTL, PROGRAM_QUEUE, 0) == 1) {
		if (m.type == MESSAGE_CTL_END)
			return items;
		items++;
	}
	fail_msg("the answer was not whole");
	return 0;
}

void
false_queue_expect_closed(int fd)
{
	char octet;

	/* Whatever was sent before may be read first. */
	while (recv(fd, &octet, 1, 0) > 0)
		continue;
	assert_int_not_equal(errno, EAGAIN);
	close(fd);
}
