/*
 * posternctl and the queue's side of the control socket, back to back, over
 * real sockets. The queue behind them is made up here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "common/content.h"
#include "common/id.h"
#include "common/mail.h"
#include "common/record.h"
#include "ctl/connect.h"
#include "queue/control_client.h"
#include "queue/link_control.h"
#include "queue/lifecycle.h"
#include "queue/pause.h"
#include "queue/query.h"
#include "queue/redirector.h"
#include "queue/clock.h"

#include "tests/unit/ctl/run.h"

/* Recipients: some of their own kind, then very many. */
#define MANY 100000
#define ID(n) (UINT64_C(1000) + (n))

static struct row_recipient rows[] = {
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
#define SPECIAL (sizeof(rows) / sizeof(rows[0]))
static bool gone[SPECIAL];

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

static const char content[] = "A: b\r\n\r\nhi\a";

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

struct noted {
	TAILQ_ENTRY(noted) next;
	void (*done)(int, void *);
	void *context;
	int result;
};
static TAILQ_HEAD(noted_list, noted) noted = TAILQ_HEAD_INITIALIZER(noted);
static struct event_base *base;
static struct event *commit;

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

/* One may be paused by name: all that is remembered here. */
static char paused_name[LIMIT_DESTINATION + 1];
static bool paused_all;

static enum pause_kind
paused_kind(const char *destination)
{
	if (paused_all)
		return PAUSE_ALL;
	return strcmp(paused_name, destination) == 0 ? PAUSE_DESTINATION
						     : PAUSE_NONE;
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
			.recipient = at < SPECIAL ? &rows[at] : &common_row,
		};

		if (at == SPECIAL + MANY)
			return 0;
		item.next_try = item.recipient->due;
		item.paused = paused_kind(item.recipient->destination);
		if (at < SPECIAL && gone[at])
			continue;
		if (matches(f, item.id, item.recipient) &&
		    !each(&item, context))
			return 1;
	}
	return 1;
}

/* Administrators ask here: they have no line of their own. */
int
query_line(const char *destination, const struct query_filter *f,
    struct row_place *place, unsigned int most,
    bool (*each)(const struct query_item *, void *), void *context)
{
	(void)destination;
	(void)f;
	(void)place;
	(void)most;
	(void)each;
	(void)context;
	_exit(1);
}

int
query_kept(const char *destination, uint64_t *kept)
{
	(void)destination;
	(void)kept;
	_exit(1);
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
	    content_write(fd, content, sizeof(content) - 1) == -1 ||
	    content_seal(fd) == -1)
		_exit(1);
	return fd;
}

int
query_events(uint64_t id, uint32_t *place, unsigned int most,
    bool (*each)(uint64_t, const struct row_event *, void *), void *context)
{
	static const struct row_event life[] = {
		{ .time = NOW - 60,
		    .what = EVENT_ACCEPTED,
		    .address = "bob@other.test",
		    .original = "robert@here.test",
		    .destination = "mx:other.test",
		    .host = "client.test",
		    .peer = "192.0.2.9",
		    .tls_version = "TLSv1.3",
		    .tls_cipher = "TLS_AES_256_GCM_SHA384",
		    .helo = "client",
		    .user = "sue",
		    .protocol = SMTP_PROTOCOL_ESMTPSA + 1,
		    .size = 1234,
		    .config = "/etc/postern/postern.conf",
		    .rule = 31,
		    .via = "robert\tpeople\taliases\t/etc/aliases\t7\n"
			   "bob\tpeople\taliases\t/etc/aliases\t9",
		    .route = ROUTE_MX + 1 },
		{ .time = NOW - 50,
		    .what = EVENT_DEFERRED,
		    .address = "bob@other.test",
		    .host = "mx.other.test",
		    .peer = "2001:db8::1",
		    .port = 25,
		    .took = 1500,
		    .attempt = 2,
		    .next_try = NOW + 300,
		    .dropped = 3,
		    .detail = "450-4.2.0 later\a\r\n450 4.2.0 on another day, "
			      "when this line will be no shorter than now" },
		{ .time = NOW - 40,
		    .what = EVENT_REMOVED,
		    .address = "bob@other.test",
		    .by = UINT64_C(4294967294) + 1 },
		{ .time = NOW - 30,
		    .what = EVENT_BOUNCED,
		    .address = "bob@other.test",
		    .report = ID(0) },
		/* As schema 1 had it. */
		{ .time = NOW - 20,
		    .what = EVENT_DEFERRED,
		    .address = "bob@other.test",
		    .host = "mx.other.test[192.0.2.1]:25",
		    .detail = "450 later" },
	};
	const uint32_t events = id == ID(0) ? 5 : 2;

	if (id == ID(9))
		return 0;
	for (; *place < events && most > 0; (*place)++, most--)
		if (!each(id, &life[*place], context))
			return 1;
	return *place < events;
}

/* bob has 1,234 messages. */
int
query_ids(const char *address, uint64_t after, uint64_t *ids, unsigned int most)
{
	unsigned int count = 0;

	if (strcmp(address, "bob@other.test") != 0)
		return 0;
	if (after == 0)
		after = ID(100) - 1;
	while (count < most && ++after < ID(100) + 1234)
		ids[count++] = after;
	return (int)count;
}

enum lifecycle_step
lifecycle_step(enum recipient_state was, enum lifecycle_event event)
{
	return event == LIFECYCLE_REMOVE || event == LIFECYCLE_REDIRECTED ||
		       (event == LIFECYCLE_RELEASE) == (was == RECIPIENT_HELD)
		   ? LIFECYCLE_TO_WAITING
		   : LIFECYCLE_REFUSED;
}

static int
act(enum ctl_verb verb, size_t at)
{
	struct row_recipient *r = &rows[at];
	uint8_t was = r->state;

	if (verb == CTL_VERB_REMOVE)
		return gone[at] = true;
	if ((verb == CTL_VERB_RELEASE) != (was == RECIPIENT_HELD))
		return 0;
	r->state = verb == CTL_VERB_HOLD ? RECIPIENT_HELD : RECIPIENT_WAITING;
	return 1;
}

/* What was noted is done a little later, as after a commit. */
static void
on_commit(evutil_socket_t fd, short what, void *context)
{
	struct noted *n;

	(void)fd;
	(void)what;
	(void)context;
	while ((n = TAILQ_FIRST(&noted)) != NULL) {
		TAILQ_REMOVE(&noted, n, next);
		n->done(n->result, n->context);
		free(n);
	}
}

int
query_act(enum ctl_verb verb, uint64_t id, uint32_t number, uint32_t uid,
    void (*done)(int, void *), void *context)
{
	static const struct timeval later = { 0, 1000 };
	struct noted *n = calloc(1, sizeof(*n));
	size_t at = id == ID(0) ? number : id - ID(0);

	(void)uid;
	if (n == NULL)
		_exit(1);
	n->done = done;
	n->context = context;
	n->result = at < SPECIAL ? act(verb, at) : 1;
	TAILQ_INSERT_TAIL(&noted, n, next);
	evtimer_add(commit, &later);
	return 0;
}

void
query_forget(void *context)
{
	struct noted *n, *next;

	for (n = TAILQ_FIRST(&noted); n != NULL; n = next) {
		next = TAILQ_NEXT(n, next);
		if (n->context != context)
			continue;
		TAILQ_REMOVE(&noted, n, next);
		free(n);
	}
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

int
query_pause(const char *destination, bool paused, void (*done)(int, void *),
    void *context)
{
	static const struct timeval later = { 0, 1000 };
	struct noted *n;
	bool all = destination[0] == '\0';
	bool was = all ? paused_all : strcmp(paused_name, destination) == 0;

	if (strcmp(destination, "mx:full.test") == 0)
		return 1;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		_exit(1);
	n->done = done;
	n->context = context;
	n->result = was != paused;
	if (all)
		paused_all = paused;
	else
		strlcpy(paused_name, paused ? destination : "",
		    sizeof(paused_name));
	TAILQ_INSERT_TAIL(&noted, n, next);
	evtimer_add(commit, &later);
	return 0;
}

bool
pause_is_set(const char *destination)
{
	return destination[0] == '\0' ? paused_all
				      : strcmp(paused_name, destination) == 0;
}

bool
query_paused(unsigned int *named)
{
	*named = paused_name[0] != '\0';
	return paused_all;
}

uint64_t
clock_milliseconds(void)
{
	return UINT64_C(1000) * (NOW + 1);
}

/* Each redirection becomes a message of its own, but what goes to nobody. */
struct asked {
	TAILQ_ENTRY(asked) next;
	void (*done)(const struct redirector_answer *, void *);
	void *context;
	uint64_t id;
	unsigned int count;
	bool refused;
};

static TAILQ_HEAD(, asked) asked = TAILQ_HEAD_INITIALIZER(asked);
static struct event *router_answer;

static void
on_router_answer(evutil_socket_t fd, short what, void *context)
{
	struct asked *a;

	(void)fd;
	(void)what;
	(void)context;
	while ((a = TAILQ_FIRST(&asked)) != NULL) {
		TAILQ_REMOVE(&asked, a, next);
		a->done(&(struct redirector_answer){ a->id,
			    a->refused ? 0 : a->id + 5000000,
			    a->refused ? 550 : 250,
			    a->refused ? "5.1.1 \033[2Jnobody" : "2.0.0 Ok",
			    a->count },
		    a->context);
		free(a);
	}
}

int
redirector_ask(uint64_t id, const uint32_t *numbers, unsigned int count,
    const char *to, uid_t uid,
    void (*done)(const struct redirector_answer *, void *), void *context)
{
	static const struct timeval later = { 0, 1000 };
	struct asked *a = calloc(1, sizeof(*a));

	(void)uid;
	/* A child's assert is no test's: it would not be seen. */
	if (a == NULL || count == 0 || numbers == NULL)
		_exit(1);
	if (strcmp(to, "busy@new.test") == 0) {
		free(a);
		errno = EBUSY;
		return -1;
	}
	*a = (struct asked){ .done = done,
		.context = context,
		.id = id,
		.count = count,
		.refused = strcmp(to, "nobody@new.test") == 0 };
	TAILQ_INSERT_TAIL(&asked, a, next);
	return evtimer_add(router_answer, &later);
}

void
redirector_forget(const void *context)
{
	struct asked *a, *next;

	for (a = TAILQ_FIRST(&asked); a != NULL; a = next) {
		next = TAILQ_NEXT(a, next);
		if (a->context != context)
			continue;
		TAILQ_REMOVE(&asked, a, next);
		free(a);
	}
}

static void
serve(int listener)
{
	base = event_base_new();
	commit = evtimer_new(base, on_commit, NULL);
	control_clients_start(base);
	router_answer = evtimer_new(base, on_router_answer, NULL);
	control_start(base, listener);
	event_base_dispatch(base);
}

static pid_t server;

static int
set_up(void **state)
{
	if (run_prepare(state) == -1)
		return -1;
	server = run_server(serve, "control");
	return 0;
}

/* It must have lived through everything. */
static int
tear_down(void **state)
{
	int alive = waitpid(server, NULL, WNOHANG);

	(void)state;
	run_stop(server);
	run_clean_up();
	return alive == 0 ? 0 : -1;
}

/* A client that does not keep to the rules. */
static int
dial(void)
{
	struct sockaddr_un address;
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	run_socket_path(&address, "control");
	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void
ask_for_all(int fd)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_LIST, 7);

	assert_int_equal(record_write(fd, &m, 0), 0);
}

static const char *
id_text(size_t n)
{
	static struct id_text text;

	text = id_format(ID(n));
	return text.text;
}

static void
lists(void **state)
{
	char line[512];

	(void)state;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	snprintf(line, sizeof(line),
	    "%s   2h  4.1K waiting      3   5m alice@here.test -> "
	    "bob@other.test (mx:other.test): "
	    "450-4.2.0 not / 450 4.2.0 \\x1b[2Jnow\n",
	    id_text(0));
	assert_string_equal(run_out, line);
	assert_string_equal(run_err, "");
}

static void
lists_json(void **state)
{
	char line[512];

	(void)state;
	assert_int_equal(run(list_run, 0, "--json --state failed"), EX_OK);
	snprintf(line, sizeof(line),
	    "{\"id\":\"%s\",\"arrival\":\"2026-01-31T23:59:54Z\",\"size\":11,"
	    "\"sender\":\"\",\"number\":0,\"recipient\":\"dave@far.test\","
	    "\"original\":\"dave@far.test\",\"route\":\"relay\","
	    "\"name\":\"smart\",\"user\":\"\",\"destination\":\"relay:smart\","
	    "\"state\":\"failed\",\"in_flight\":false,\"attempts\":1,"
	    "\"next_try\":null,\"host\":\"\","
	    "\"reply\":\"550 no \\\"such\\\" \\ufffd\","
	    "\"notify\":\"\",\"orcpt\":\"\",\"paused\":false}\n",
	    id_text(2));
	assert_string_equal(run_out, line);
}

static void
lists_bounces(void **state)
{
	(void)state;
	assert_int_equal(run(list_run, 0, "--sender <> --state failed"), EX_OK);
	assert_non_null(strstr(run_out, " <> -> dave@far.test"));
	assert_int_equal(run(list_run, 0, "--sender <> --state held"), EX_OK);
	assert_string_equal(run_out, "");
	assert_int_equal(
	    run(act_run, CTL_VERB_RELEASE, "--sender <> --state held"), EX_OK);
	assert_string_equal(run_out, "0 recipients released\n");
}

static void
lists_very_many(void **state)
{
	size_t lines = 0;

	(void)state;
	assert_int_equal(run(list_run, 0, ""), EX_OK);
	for (const char *p = run_out; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, SPECIAL + MANY);
}

static void
sums_up_on_a_terminal(void **state)
{
	(void)state;
	run_ctl.terminal = run_ctl.colour = true;
	run_ctl.width = 80;
	assert_int_equal(run(list_run, 0, "--state failed"), EX_OK);
	assert_non_null(strstr(run_out, "ID "));
	assert_non_null(strstr(run_out, "\033[31mfailed"));
	assert_non_null(
	    strstr(run_out, "\n1 recipient of 1 message, 11 octets.\n"));
	assert_null(strstr(run_out, "LAST REPLY"));
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out,
	    " alice@here.test\n    -> bob@other.test (mx:other.test): "
	    "450-4.2.0 not / 450 4.2.0 \\x1b[2Jnow\n"));
	run_ctl.width = 96;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out,
	    " alice@here.test -> bob@other.test (mx:other.test)\n"
	    "    450-4.2.0 not / 450 4.2.0 \\x1b[2Jnow\n"));
	run_ctl.width = 40;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out,
	    " alice@here.test\n    -> bob@other.test (mx:other.test)\n"
	    "    450-4.2.0 not / 450 4.2.0 \\x1b[2Jnow\n"));
	run_ctl.width = 34;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(
	    strstr(run_out, "\n    alice@here.test\n    -> bob@other.test\n"
			    "    (mx:other.test): 450-4.2.0 ...\n"));
	run_ctl.width = 120;
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out, "LAST REPLY"));
	assert_non_null(strstr(run_out, "): 450-4.2.0 "));
	assert_non_null(strstr(run_out, "...\n1 recipient"));
	assert_int_equal(
	    strcspn(strchr(run_out, '\n') + 1, "\n"), 120 + strlen("\033[0m"));
	assert_int_equal(run(list_run, 0, "--recipient x@y.test"), EX_OK);
	assert_string_equal(run_out, "Nothing waits.\n");
	run_ctl.terminal = run_ctl.colour = false;
	run_ctl.width = 0;
}

static void
says_why(void **state)
{
	(void)state;
	assert_int_equal(run(why_run, 0, id_text(0)), EX_OK);
	assert_non_null(strstr(run_out,
	    "waits for its next try, in 5 minutes (2026-02-01 00:04:59)"));
	assert_non_null(strstr(run_out,
	    "last reply, from mx.other.test:\n    450-4.2.0 not\n"
	    "    450 4.2.0 \\x1b[2Jnow\n"));
	assert_non_null(strstr(run_out, "(sent to robert@here.test)"));
	assert_non_null(strstr(run_out, "carol@here.test\n"));
	assert_non_null(
	    strstr(run_out, "is held, until \"posternctl release "));
	assert_int_equal(run(why_run, 0, id_text(MANY + 99)), EX_NOINPUT);
	assert_non_null(strstr(run_err, "is not in the queue"));
	assert_non_null(strstr(run_err, "posternctl trace"));
	assert_int_equal(run(why_run, 0, "12"), EX_DATAERR);
	assert_int_equal(run(why_run, 0, ""), EX_USAGE);
}

static void
shows(void **state)
{
	char words[64];

	(void)state;
	assert_int_equal(run(show_run, 0, id_text(0)), EX_OK);
	assert_non_null(strstr(run_out, "sender     alice@here.test\n"));
	assert_non_null(strstr(run_out, "client     192.0.2.7\n"));
	assert_non_null(strstr(run_out, "ret        HDRS\n"));
	assert_non_null(strstr(run_out, "envid      QQ+20x\n"));
	assert_non_null(strstr(run_out, "  notify   SUCCESS,DELAY\n"));
	assert_non_null(
	    strstr(run_out, "  orcpt    rfc822;robert+2Bx@here.test\n"));
	/* Of who said nothing, nothing is shown. */
	assert_null(strstr(strstr(run_out, "  orcpt ") + 1, "  notify"));
	assert_non_null(strstr(
	    run_out, "recipient  carol@here.test (local:carol), held\n"));
	assert_non_null(strstr(run_out,
	    "bob@other.test (mx:other.test), waiting, tried 3 times, next try "
	    "in 5m\n"));
	assert_non_null(strstr(run_out, "\n\nA: b\r\n\r\nhi\a"));
	run_ctl.terminal = true;
	assert_int_equal(run(show_run, 0, id_text(0)), EX_OK);
	run_ctl.terminal = false;
	assert_non_null(strstr(run_out, "\n\nA: b\n\nhi\\x07"));
	snprintf(words, sizeof(words), "--content %s", id_text(0));
	assert_int_equal(run(show_run, 0, words), EX_OK);
	assert_string_equal(run_out, content);
	snprintf(words, sizeof(words), "--json %s", id_text(0));
	assert_int_equal(run(show_run, 0, words), EX_OK);
	assert_non_null(strstr(run_out,
	    "\"sender\":\"alice@here.test\",\"ret\":\"HDRS\","
	    "\"envid\":\"QQ+20x\",\"content_base64\":\"QTogYg0K"));
	assert_non_null(strstr(run_out,
	    "\"notify\":\"SUCCESS,DELAY\","
	    "\"orcpt\":\"rfc822;robert+2Bx@here.test\",\"paused\":false}\n"));
	assert_non_null(strstr(
	    run_out, "\"notify\":\"\",\"orcpt\":\"\",\"paused\":false}\n"));
	assert_int_equal(run(show_run, 0, id_text(9)), EX_NOINPUT);
	assert_int_equal(run(show_run, 0, id_text(2)), EX_IOERR);
	assert_non_null(strstr(run_err, "cannot be read from the store"));
}

/* No line is longer than 80 columns, whatever has to stand in it. */
static void
is_narrow(const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		assert_true(length <= 80);
		text += length + (text[length] == '\n');
	}
}

static void
traces(void **state)
{
	char expected[2048];
	const char *id = id_text(0);

	(void)state;
	assert_int_equal(run(trace_run, 0, id), EX_OK);
	snprintf(expected, sizeof(expected),
	    "2026-01-31 23:58:59 %s accepted from <> to bob@other.test\n"
	    "    by client.test [192.0.2.9], TLSv1.3 "
	    "TLS_AES_256_GCM_SHA384, HELO client,\n"
	    "    logged in as sue, ESMTPSA, 1234 octets\n"
	    "    by the rule in line 31 of /etc/postern/postern.conf\n"
	    "    given as robert@here.test\n"
	    "    by the alias robert of the table aliases of the mailbox "
	    "people in\n    /etc/aliases:7\n"
	    "    by the alias bob of the table aliases of the mailbox "
	    "people in\n    /etc/aliases:9\n"
	    "    to the mail hosts of its domain, in line for mx:other.test\n"
	    "2026-01-31 23:59:09 %s deferred bob@other.test\n"
	    "    (3 events before this one were too many to be kept)\n"
	    "    mx.other.test [2001:db8::1]:25, plain text, attempt 2, in "
	    "1500 ms, next\n    2026-02-01 00:04:59\n"
	    "    450-4.2.0 later\\x07\n"
	    "    450 4.2.0 on another day, when this line will be no "
	    "shorter than now\n"
	    "2026-01-31 23:59:19 %s removed bob@other.test\n"
	    "    by uid 4294967294\n"
	    "2026-01-31 23:59:29 %s bounced bob@other.test\n"
	    "    its sender is told in %s\n"
	    "2026-01-31 23:59:39 %s deferred bob@other.test\n"
	    "    mx.other.test[192.0.2.1]:25\n"
	    "    450 later\n",
	    id, id, id, id, id, id);
	assert_string_equal(run_out, expected);
	is_narrow(run_out);
}

static void
traces_in_json(void **state)
{
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), "--json %s", id_text(0));
	assert_int_equal(run(trace_run, 0, words), EX_OK);
	assert_non_null(strstr(run_out,
	    "\"event\":\"accepted\",\"address\":\"bob@other.test\","
	    "\"sender\":\"\",\"original\":\"robert@here.test\","
	    "\"destination\":\"mx:other.test\",\"host\":\"client.test\","
	    "\"detail\":\"\",\"recipient\":0,\"helo\":\"client\","
	    "\"user\":\"sue\",\"protocol\":\"ESMTPSA\",\"size\":1234,"
	    "\"config\":\"/etc/postern/postern.conf\",\"rule\":31,"
	    "\"aliases\":["
	    "{\"key\":\"robert\",\"mailbox\":\"people\","
	    "\"table\":\"aliases\",\"file\":\"/etc/aliases\",\"line\":7},"
	    "{\"key\":\"bob\",\"mailbox\":\"people\","
	    "\"table\":\"aliases\",\"file\":\"/etc/aliases\",\"line\":9}],"
	    "\"aliases_cut\":false,\"route\":\"mx\",\"name\":\"\","
	    "\"owner\":\"\",\"host_address\":\"192.0.2.9\",\"port\":0,"
	    "\"tls_version\":\"TLSv1.3\","
	    "\"tls_cipher\":\"TLS_AES_256_GCM_SHA384\",\"took_ms\":0,"
	    "\"attempt\":0,\"next_try\":null,\"by_uid\":null,"
	    "\"report\":\"\",\"dropped\":0}\n"));
	assert_non_null(strstr(
	    run_out, "\"detail\":\"450-4.2.0 later\\u0007\\r\\n450 4.2.0"));
	assert_non_null(strstr(run_out,
	    "\"host_address\":\"2001:db8::1\",\"port\":25,"
	    "\"tls_version\":\"\",\"tls_cipher\":\"\",\"took_ms\":1500,"
	    "\"attempt\":2,\"next_try\":\"2026-02-01T00:04:59Z\","
	    "\"by_uid\":null,\"report\":\"\",\"dropped\":3}\n"));
	assert_non_null(strstr(run_out, "\"by_uid\":4294967294,"));
	assert_non_null(strstr(run_out, "\"event\":\"bounced\""));
}

static void
traces_an_address(void **state)
{
	size_t heads = 0;

	(void)state;
	assert_int_equal(run(trace_run, 0, "bob@OTHER.test"), EX_OK);
	for (const char *p = run_out; (p = strstr(p, "\n2026-01-31 ")) != NULL;
	     p++)
		heads++;
	assert_int_equal(heads + 1, 200);
	assert_non_null(
	    strstr(run_err, "these are the newest 100 of 1234 messages"));
	/* Oldest of the newest first, the newest last. */
	assert_memory_equal(run_out + 20, id_text(100 + 1134), 13);
	assert_non_null(
	    strstr(run_out + strlen(run_out) - 500, id_text(100 + 1233)));
	assert_int_equal(run(trace_run, 0, "x@y.test"), EX_NOINPUT);
	assert_int_equal(run(trace_run, 0, id_text(9)), EX_NOINPUT);
	assert_int_equal(run(trace_run, 0, "x@@y"), EX_DATAERR);
	assert_int_equal(run(trace_run, 0, "nonsense"), EX_DATAERR);
}

static void
counts(void **state)
{
	(void)state;
	assert_int_equal(run(stats_run, 0, ""), EX_OK);
	assert_string_equal(
	    run_out, "           7  accepted\n           2  waiting\n");
	assert_int_equal(run(stats_run, 0, "--json"), EX_OK);
	assert_string_equal(run_out,
	    "{\"name\":\"accepted\",\"value\":7,\"help\":\"messages taken\","
	    "\"type\":\"counter\"}\n"
	    "{\"name\":\"waiting\",\"value\":2,\"help\":\"recipients that "
	    "wait\",\"type\":\"gauge\"}\n");
	assert_int_equal(run(stats_run, 0, "--prometheus"), EX_OK);
	assert_string_equal(run_out,
	    "# HELP postern_queue_accepted_total messages taken\n"
	    "# TYPE postern_queue_accepted_total counter\n"
	    "postern_queue_accepted_total 7\n"
	    "# HELP postern_queue_waiting recipients that wait\n"
	    "# TYPE postern_queue_waiting gauge\n"
	    "postern_queue_waiting 2\n");
	assert_int_equal(run(stats_run, 0, "--prometheus --json"), EX_USAGE);
}

static void
lists_destinations(void **state)
{
	size_t lines = 0;

	(void)state;
	assert_int_equal(
	    run(destinations_run, 0, "--destination MX:n0.test"), EX_OK);
	assert_string_equal(run_out,
	    "  12345     0      0      0      1     12m  12m mx:n0.test: "
	    "421 4.3.2 \\x1b[2Jbusy\n");
	assert_int_equal(
	    run(destinations_run, 0, "--json --destination mx:n1.test"), EX_OK);
	assert_string_equal(run_out,
	    "{\"destination\":\"mx:n1.test\",\"waiting\":1,\"held\":2,"
	    "\"failed\":3,\"in_flight\":9,\"deliveries\":2,\"window\":20,"
	    "\"failures\":0,\"backoff_until\":null,"
	    "\"next_try\":\"2026-01-31T23:59:59Z\",\"reply\":\"\",\"paused\":"
	    "false}\n");
	assert_int_equal(run(destinations_run, 0, ""), EX_OK);
	for (const char *p = run_out; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, MANY);
	assert_int_equal(run(destinations_run, 0, "word"), EX_USAGE);
}

static void
sums_destinations_up(void **state)
{
	(void)state;
	run_ctl.terminal = run_ctl.colour = true;
	run_ctl.width = 28;
	assert_int_equal(
	    run(destinations_run, 0, "--destination mx:n0.test"), EX_OK);
	assert_non_null(strstr(run_out, "WAITING "));
	assert_non_null(strstr(run_out,
	    "\n        mx:n0.test\033[0m\n        421 4.3.2 \\x1b[2J...\n"));
	assert_non_null(
	    strstr(run_out, "\n1 destination, 12345 recipients.\n"));
	assert_int_equal(
	    run(destinations_run, 0, "--destination mx:none.test"), EX_OK);
	assert_string_equal(run_out, "Nothing waits.\n");
	run_ctl.terminal = run_ctl.colour = false;
	run_ctl.width = 0;
}

static void
sums_reasons_up(void **state)
{
	const char *last;

	(void)state;
	assert_int_equal(run(summary_run, 0, ""), EX_OK);
	last =
	    strstr(run_out, "    100000     5s  now waiting   mx:many.test: ");
	assert_non_null(last);
	assert_string_equal(strchr(last, '\n'), "\n");
	assert_non_null(
	    strstr(run_out, "         1     2h   5m waiting   mx:other.test: "
			    "450 4.2.0 not \\x1b[#Jnow\n"));
	assert_int_equal(run(summary_run, 0, "--json --state failed"), EX_OK);
	assert_string_equal(run_out,
	    "{\"recipients\":1,\"oldest\":\"2026-01-31T23:59:54Z\","
	    "\"state\":\"failed\",\"paused\":false,\"destination\":\"relay:"
	    "smart\","
	    "\"reason\":\"550 no \\\"such\\\" \\ufffd\","
	    "\"next_try\":null}\n");
	run_ctl.terminal = true;
	assert_int_equal(run(summary_run, 0, ""), EX_OK);
	assert_non_null(strstr(run_out, "RECIPIENTS OLDEST NEXT STATE"));
	assert_non_null(strstr(run_out, "100003 recipients in 4 groups.\n"));
	assert_int_equal(run(summary_run, 0, "--recipient x@y.test"), EX_OK);
	assert_string_equal(run_out, "Nothing waits.\n");
	run_ctl.terminal = false;
	assert_int_equal(run(summary_run, 0, "--recipient x@y.test"), EX_OK);
	assert_string_equal(run_out, "");
}

static void
pauses(void **state)
{
	(void)state;
	assert_int_equal(run(pause_run, 0, ""), EX_USAGE);
	assert_int_equal(run(pause_run, 0, "--all mx:other.test"), EX_USAGE);
	assert_int_equal(run(pause_run, 0, "other.test"), EX_DATAERR);
	assert_int_equal(run(pause_run, 0, "mx:$(x)"), EX_DATAERR);
	assert_non_null(strstr(run_err, "mx:DOMAIN"));
	assert_int_equal(run(pause_run, 0, "mx:full.test"), EX_UNAVAILABLE);
	assert_int_equal(run(pause_run, 0, "mx:other.test"), EX_OK);
	assert_string_equal(run_out, "mx:other.test is paused\n");
	assert_int_equal(run(pause_run, 0, "mx:other.test --json"), EX_OK);
	assert_string_equal(run_out,
	    "{\"verb\":\"test\",\"destination\":\"mx:other.test\","
	    "\"changed\":false}\n");
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out, " paused       3    - alice@"));
	assert_int_equal(run(why_run, 0, id_text(0)), EX_OK);
	assert_non_null(
	    strstr(run_out, "until \"posternctl resume mx:other.test\""));
	assert_int_equal(run(pause_run, 0, "--all"), EX_OK);
	assert_string_equal(run_out, "all delivery is paused\n");
	assert_int_equal(run(why_run, 0, id_text(0)), EX_OK);
	assert_non_null(strstr(run_out, "until \"posternctl resume --all\""));
	/* One that is held is not said to be paused. */
	assert_non_null(strstr(run_out, "is held, until"));
	assert_int_equal(run(pause_run, 1, "--all"), EX_OK);
	assert_string_equal(run_out, "all delivery is resumed\n");
	assert_non_null(strstr(run_err, "1 destination is still paused"));
	assert_int_equal(run(pause_run, 0, "--all"), EX_OK);
	assert_int_equal(run(pause_run, 1, "mx:other.test"), EX_OK);
	assert_non_null(strstr(run_err, "all delivery is paused"));
	assert_int_equal(run(pause_run, 1, "--all"), EX_OK);
	assert_string_equal(run_err, "");
	assert_int_equal(run(pause_run, 1, "mx:other.test"), EX_OK);
	assert_string_equal(run_out, "mx:other.test was not paused\n");
}

static void
acts(void **state)
{
	char words[64];

	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_HOLD, ""), EX_USAGE);
	assert_non_null(strstr(run_err, "--all"));
	snprintf(words, sizeof(words), "--all %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_HOLD, words), EX_USAGE);
	/* One of the two is held already. */
	assert_int_equal(run(act_run, CTL_VERB_HOLD, id_text(0)), EX_OK);
	assert_string_equal(run_out, "1 recipient held\n");
	assert_non_null(strstr(run_err, "1 recipient is unchanged"));
	assert_int_equal(run(act_run, CTL_VERB_RELEASE, id_text(0)), EX_OK);
	assert_string_equal(run_out, "2 recipients released\n");
	assert_string_equal(run_err, "");
	/* The others are served although one is unknown. */
	snprintf(words, sizeof(words), "%s ", id_text(MANY + 99));
	strlcat(words, id_text(2), sizeof(words));
	assert_int_equal(run(act_run, CTL_VERB_REMOVE, words), EX_NOINPUT);
	assert_string_equal(run_out, "1 recipient removed\n");
	/* Nothing is done if one is not an id. */
	snprintf(words, sizeof(words), "%s nonsense", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REMOVE, words), EX_DATAERR);
	assert_int_equal(run(why_run, 0, id_text(0)), EX_OK);
}

static void
acts_on_all(void **state)
{
	(void)state;
	assert_int_equal(
	    run(act_run, CTL_VERB_RETRY, "--recipient user@many.test --json"),
	    EX_OK);
	assert_string_equal(
	    run_out, "{\"verb\":\"test\",\"recipients\":100000}\n");
}

static void
redirects(void **state)
{
	char words[128], wanted[128];

	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, id_text(0)), EX_USAGE);
	assert_non_null(strstr(run_err, "needs --to"));
	snprintf(words, sizeof(words), "--to nonsense@ %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_USAGE);
	/* Two recipients of one message: one new message. */
	snprintf(words, sizeof(words), "--to x@new.test %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_OK);
	snprintf(wanted, sizeof(wanted), "%s is now ", id_text(0));
	assert_int_equal(strncmp(run_out, wanted, strlen(wanted)), 0);
	assert_non_null(strstr(run_out, "\n2 recipients redirected\n"));
	assert_string_equal(run_err, "");
	/* What goes there already is left. */
	snprintf(
	    words, sizeof(words), "--to BOB@other.test --json %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_OK);
	assert_non_null(strstr(run_out, ",\"recipients\":1,\"code\":250,"));
	assert_non_null(strstr(run_err, "1 recipient is unchanged"));
	snprintf(words, sizeof(words), "--to bob@other.test --dry-run %s",
	    id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_OK);
	assert_non_null(strstr(run_out, "\n1 recipient would be redirected\n"));
	snprintf(
	    words, sizeof(words), "--to x@new.test %s", id_text(MANY + 99));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT, words), EX_NOINPUT);
}

static void
tells_who_is_not_redirected(void **state)
{
	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT,
			     "--to nobody@new.test --recipient bob@other.test"),
	    EX_UNAVAILABLE);
	assert_string_equal(run_out, "0 recipients redirected\n");
	assert_non_null(strstr(run_err, ": 550 5.1.1 "));
	assert_null(strchr(run_err, '\033'));
	assert_non_null(strstr(run_err, "1 recipient was not redirected"));
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT,
			     "--to busy@new.test --recipient bob@other.test"),
	    EX_TEMPFAIL);
	assert_non_null(strstr(run_err, ": 451 4.3.2 It is being delivered"));
}

static void
redirects_very_many(void **state)
{
	size_t lines = 0;

	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_REDIRECT,
			     "--to x@new.test --recipient user@many.test"),
	    EX_OK);
	for (const char *p = run_out; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, MANY + 1);
	assert_non_null(strstr(run_out, "\n100000 recipients redirected\n"));
}

static void expect_closed(int fd);

/* A question without an address, and one where there should be none. */
static void
wants_an_address(void **state)
{
	struct message act = MESSAGE_INIT(MESSAGE_CTL_ACT, 1);
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);
	static uint8_t record[LIMIT_RECORD];
	int fd = dial();

	(void)state;
	act.ctl_act.verb = CTL_VERB_REDIRECT;
	act.ctl_act.to = "x y@z\r\n";
	assert_int_equal(record_write(fd, &act, 0), 0);
	assert_int_equal(
	    record_read(fd, record, &m, PROGRAM_CTL, PROGRAM_QUEUE, 0), 1);
	assert_int_equal(m.type, MESSAGE_CTL_END);
	assert_int_equal(m.ctl_end.code, EX_DATAERR);
	act.ctl_act.verb = CTL_VERB_REMOVE;
	act.ctl_act.to = "x@new.test";
	assert_int_equal(record_write(fd, &act, 0), 0);
	expect_closed(fd);
}

static void
tries_dry(void **state)
{
	char words[64];

	(void)state;
	assert_int_equal(run(act_run, CTL_VERB_REMOVE,
			     "--dry-run --recipient bob@other.test"),
	    EX_OK);
	assert_non_null(strstr(run_out, "-> bob@other.test"));
	assert_non_null(strstr(run_out, "\n1 recipient would be removed\n"));
	assert_int_equal(run(list_run, 0, "--recipient bob@other.test"), EX_OK);
	assert_non_null(strstr(run_out, "bob@other.test"));
	/* Of two recipients one is held. */
	snprintf(words, sizeof(words), "--dry-run %s", id_text(0));
	assert_int_equal(run(act_run, CTL_VERB_RELEASE, words), EX_OK);
	assert_null(strstr(run_out, "bob@other.test"));
	assert_non_null(strstr(run_out, "\n1 recipient would be released\n"));
	snprintf(words, sizeof(words), "--dry-run %s", id_text(MANY + 99));
	assert_int_equal(run(act_run, CTL_VERB_RELEASE, words), EX_NOINPUT);
}

/* Reads until the end of the answer; returns how many items it had. */
static size_t
read_answer(int fd)
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

static void
is_not_held_up(void **state)
{
	int fd = dial();

	(void)state;
	ask_for_all(fd);
	for (int i = 0; i < 20; i++)
		assert_int_equal(run(stats_run, 0, ""), EX_OK);
	assert_int_equal(read_answer(fd), SPECIAL - 1 + MANY);
	close(fd);
}

static void
expect_closed(int fd)
{
	char octet;

	/* Whatever was sent before may be read first. */
	while (recv(fd, &octet, 1, 0) > 0)
		continue;
	assert_int_not_equal(errno, EAGAIN);
	close(fd);
}

static void
ends_broken_clients(void **state)
{
	struct message other = MESSAGE_INIT(MESSAGE_CTL_STATS, 1);
	struct message answer = MESSAGE_INIT(MESSAGE_CTL_END, 1);
	struct message list = MESSAGE_INIT(MESSAGE_CTL_LIST, 1);
	struct message act = MESSAGE_INIT(MESSAGE_CTL_ACT, 1);
	struct message show = MESSAGE_INIT(MESSAGE_CTL_SHOW, 1);
	struct message halt = MESSAGE_INIT(MESSAGE_CTL_PAUSE, 1);
	int fd;

	(void)state;
	errno = 0;
	fd = dial();
	assert_int_equal(send(fd, "x", 1, 0), 1);
	expect_closed(fd);
	fd = dial();
	assert_int_equal(record_write(fd, &answer, 0), 0);
	expect_closed(fd);
	fd = dial();
	list.ctl_list.state = RECIPIENT_STATES + 1;
	assert_int_equal(record_write(fd, &list, 0), 0);
	expect_closed(fd);
	fd = dial();
	act.ctl_act.verb = CTL_VERBS;
	assert_int_equal(record_write(fd, &act, 0), 0);
	expect_closed(fd);
	fd = dial();
	act.ctl_act.verb = CTL_VERB_REMOVE;
	act.ctl_act.dry_run = 2;
	assert_int_equal(record_write(fd, &act, 0), 0);
	expect_closed(fd);
	fd = dial();
	assert_int_equal(record_write(fd, &show, 0), 0);
	expect_closed(fd);
	fd = dial();
	halt.ctl_pause.resume = 2;
	assert_int_equal(record_write(fd, &halt, 0), 0);
	expect_closed(fd);
	/* A second question before the first is answered. */
	fd = dial();
	ask_for_all(fd);
	assert_int_equal(record_write(fd, &other, 0), 0);
	expect_closed(fd);
	assert_int_equal(run(stats_run, 0, ""), EX_OK);
}

/* Goes away in the middle of a listing, and of an act. */
static void
survives_leavers(void **state)
{
	struct message act = MESSAGE_INIT(MESSAGE_CTL_ACT, 1);

	(void)state;
	act.ctl_act.verb = CTL_VERB_RETRY;
	act.ctl_act.recipient = "user@many.test";
	for (int i = 0; i < 50; i++) {
		int fd = dial();

		if (i % 2 == 0)
			ask_for_all(fd);
		else
			assert_int_equal(record_write(fd, &act, 0), 0);
		close(fd);
	}
	assert_int_equal(run(stats_run, 0, ""), EX_OK);
}

static void
lets_the_crowd_wait(void **state)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_STATS, 1);
	struct pollfd last = { .events = POLLIN };
	int fds[16];

	(void)state;
	for (int i = 0; i < 16; i++) {
		fds[i] = dial();
		assert_int_equal(record_write(fds[i], &question, 0), 0);
		assert_int_equal(read_answer(fds[i]), 2);
	}
	last.fd = dial();
	assert_int_equal(record_write(last.fd, &question, 0), 0);
	assert_int_equal(poll(&last, 1, 300), 0);
	close(fds[3]);
	assert_int_equal(read_answer(last.fd), 2);
	close(last.fd);
	for (int i = 0; i < 16; i++)
		if (i != 3)
			close(fds[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(lists_json),
		cmocka_unit_test(lists_destinations),
		cmocka_unit_test(sums_reasons_up),
		cmocka_unit_test(pauses),
		cmocka_unit_test(sums_destinations_up),
		cmocka_unit_test(lists_bounces),
		cmocka_unit_test(lists_very_many),
		cmocka_unit_test(sums_up_on_a_terminal),
		cmocka_unit_test(says_why),
		cmocka_unit_test(shows),
		cmocka_unit_test(traces),
		cmocka_unit_test(traces_in_json),
		cmocka_unit_test(traces_an_address),
		cmocka_unit_test(counts),
		cmocka_unit_test(redirects),
		cmocka_unit_test(tells_who_is_not_redirected),
		cmocka_unit_test(redirects_very_many),
		cmocka_unit_test(wants_an_address),
		cmocka_unit_test(tries_dry),
		cmocka_unit_test(acts),
		cmocka_unit_test(acts_on_all),
		cmocka_unit_test(is_not_held_up),
		cmocka_unit_test(ends_broken_clients),
		cmocka_unit_test(survives_leavers),
		cmocka_unit_test(lets_the_crowd_wait),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
