/* A connection to a real socket, with a clock of the test's own: how long a
 * host may take. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "common/limits.h"
#include "deliver/remote/connection.h"
#include "deliver/remote/priority.h"
#include "deliver/remote/room.h"

#define KEY "mx:dst.test"
#define LINE \
	"A line of the content, which is as long as any other line of it.\r\n"
#define LINES 2500
#define SIZE (LINES * (sizeof(LINE) - 1))
#define RECIPIENTS 4

static struct event_base *base;

/* -- The user of the connection -------------------------------------------- */

static char reason[LIMIT_REPLY + 1]; /* "": it did not end */
static bool is_done;
static const void *ended[2]; /* whose connections, in order */
static unsigned int ended_count;
static unsigned int delivered, deferred;

static void
on_room(void)
{
}

static void
on_settled(void *context, unsigned int recipient, enum report_outcome outcome,
    enum report_scope scope, const struct endpoint_host *name,
    const char *reply)
{
	(void)context;
	(void)recipient;
	(void)scope;
	(void)name;
	(void)reply;
	if (outcome == REPORT_DELIVERED)
		delivered++;
	else if (outcome == REPORT_DEFERRED)
		deferred++;
}

static void
on_done(void *context)
{
	(void)context;
	is_done = true;
}

static void
on_ended(void *context, const struct session_end *end,
    const struct endpoint_host *name, bool stale)
{
	(void)name;
	assert_false(stale);
	if (ended_count < LENGTH(ended))
		ended[ended_count++] = context;
	snprintf(reason, sizeof(reason), "%s", end->reason);
}

/* -- The host ---------------------------------------------------------------- */

static int listener, host;

/* So little that what waits to be sent waits in the connection, not in the
 * kernel. */
static void
make_small(int fd, int which)
{
	int size = 4096;

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, which, &size, sizeof(size)), 0);
}

static struct endpoint
listen_somewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t length = sizeof(a);
	struct endpoint e;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	make_small(listener, SO_RCVBUF);
	assert_int_equal(inet_pton(AF_INET, "127.25.3.1", &a.sin_addr), 1);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&a, &length), 0);
	assert_int_equal(
	    endpoint_parse("127.25.3.1", ntohs(a.sin_port), &e), 0);
	return e;
}

/* Lets the connection run until the descriptor can be read. */
static void
run_until_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (unsigned int i = 0; i < 5000; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (poll(&p, 1, 1) == 1)
			return;
	}
	fail_msg("the connection sends nothing, reason \"%s\"", reason);
}

/* Takes so many octets of what was sent. */
static void
take(size_t count)
{
	char buffer[4096];

	while (count > 0) {
		size_t most = count < sizeof(buffer) ? count : sizeof(buffer);
		ssize_t n;

		run_until_readable(host);
		n = recv(host, buffer, most, 0);
		assert_true(n > 0);
		count -= (size_t)n;
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
say(const char *reply)
{
	assert_int_equal(
	    send(host, reply, strlen(reply), 0), (ssize_t)strlen(reply));
	for (unsigned int i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* -- Time ---------------------------------------------------------------------- */

/* The timer of the connection has no descriptor; its socket has one. */
static int
find_timer(const struct event_base *b, const struct event *e, void *found)
{
	(void)b;
	if (event_get_fd(e) == -1 && event_pending(e, EV_TIMEOUT, NULL) != 0)
		*(const struct event **)found = e;
	return 0;
}

static int
find_socket(const struct event_base *b, const struct event *e, void *found)
{
	(void)b;
	if (event_get_fd(e) != -1)
		*(int *)found = event_get_fd(e);
	return 0;
}

static void
pass(int64_t seconds)
{
	const struct event *timer = NULL;

	clock_ms += CLOCK_SECONDS(seconds);
	if (clock_due_ms > clock_ms)
		return;
	event_base_foreach_event(base, find_timer, &timer);
	assert_non_null(timer);
	event_active((struct event *)(uintptr_t)timer, EV_TIMEOUT, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* -- A message ------------------------------------------------------------------ */

static struct endpoint there;
static struct transaction *transaction;
static int content;
static struct connection *connection;

static const struct connection_user user = { on_settled, on_done, on_ended };

static int
set_up(void **unused)
{
	(void)unused;
	there = listen_somewhere();
	clock_ms = 0;
	ended_count = 0;
	reason[0] = '\0';
	is_done = false;
	delivered = deferred = 0;
	content = memfd_create("content", MFD_CLOEXEC);
	for (unsigned int i = 0; i < LINES; i++)
		assert_int_equal(
		    write(content, LINE, sizeof(LINE) - 1), sizeof(LINE) - 1);
	transaction =
	    transaction_new("s@src.test", SMTP_BODY_7BIT, SIZE, RECIPIENTS);
	assert_non_null(transaction);
	for (unsigned int i = 0; i < RECIPIENTS; i++)
		assert_int_equal(
		    transaction_add(transaction, i, "r@dst.test", 0, ""), 0);
	connection = connection_open(KEY, ROUTE_MX, &there, "mx.dst.test");
	assert_non_null(connection);
	connection_send(connection, transaction, content, &user, transaction);
	run_until_readable(listener);
	host = accept(listener, NULL, NULL);
	assert_true(host >= 0);
	return 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	if (is_done)
		connection = connection_take_idle(KEY);
	if (reason[0] == '\0')
		connection_abandon(&connection);
	/* The socket is closed from the event loop. */
	for (unsigned int i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	transaction_free(&transaction);
	close(content);
	close(host);
	close(listener);
	return 0;
}

/* Up to the content; each reply takes the host so long. */
static void
talk(int64_t seconds)
{
	char line[] = "RCPT TO:<r@dst.test>\r\n";
	char mail[] = "MAIL FROM:<s@src.test>\r\n";
	int fd = -1;

	pass(seconds);
	say("220 mx.test\r\n");
	event_base_foreach_event(base, find_socket, &fd);
	make_small(fd, SO_SNDBUF);
	take(strlen("EHLO client.test\r\n"));
	pass(seconds);
	say("250 mx.test\r\n");
	take(strlen(mail));
	for (unsigned int i = 0; i < RECIPIENTS; i++) {
		pass(seconds);
		say("250 ok\r\n");
		take(strlen(line));
	}
	pass(seconds);
	say("250 ok\r\n");
	take(strlen("DATA\r\n"));
	pass(seconds);
	say("354 go\r\n");
}

/* RFC 5321 4.5.3.2.5: three minutes for each piece that is sent, also for the
 * last ones, which are all read from the content long before. */
static void
test_slow_reader(void **unused)
{
	size_t slow = 80 * 1024, step = 8 * 1024;

	(void)unused;
	talk(0);
	take(SIZE - slow);
	for (size_t left = slow; left > 0; left -= step) {
		pass(150);
		assert_string_equal(reason, "");
		take(step);
	}
	take(strlen(".\r\n"));
	say("250 taken\r\n");
	assert_string_equal(reason, "");
	assert_true(is_done);
	assert_int_equal(delivered, RECIPIENTS);
}

static void
test_no_reader(void **unused)
{
	(void)unused;
	talk(0);
	take(SIZE / 2);
	pass(179);
	assert_string_equal(reason, "");
	/* It took something when this wait had begun. */
	pass(1);
	pass(180);
	assert_string_equal(
	    reason, "4.4.2 timed out while waiting for room for the content");
}

/* The host goes on reading; the message has had its time all the same. */
static void
test_overdue(void **unused)
{
	(void)unused;
	talk(0);
	for (unsigned int i = 100; i < LIMIT_MESSAGE_SECONDS; i += 100) {
		pass(100);
		assert_string_equal(reason, "");
		take(4096);
	}
	pass(99);
	assert_string_equal(reason, "");
	pass(1);
	assert_string_equal(reason,
	    "4.4.2 not through in 40 minutes while waiting for room for the "
	    "content");
	assert_int_equal(delivered + deferred, 0);
}

/* Once the content is sent, giving up would only send it twice: the last
 * reply has its ten minutes, though the message has none left. */
static void
test_sent_in_time(void **unused)
{
	(void)unused;
	talk(290); /* 8 replies */
	take(SIZE + strlen(".\r\n"));
	pass(599);
	assert_string_equal(reason, "");
	assert_true(clock_ms > CLOCK_SECONDS(LIMIT_MESSAGE_SECONDS));
	say("250 taken\r\n");
	assert_true(is_done);
	assert_int_equal(delivered, RECIPIENTS);
}

/* That one ends too, and what is then not known is said. */
static void
test_no_last_reply(void **unused)
{
	(void)unused;
	talk(0);
	take(SIZE + strlen(".\r\n"));
	pass(600);
	assert_non_null(strstr(reason, "4.4.2 timed out"));
	assert_non_null(strstr(reason, "may arrive twice"));
	assert_int_equal(deferred, RECIPIENTS);
}

/* An octet now and then is no reply. */
static void
test_octets(void **unused)
{
	(void)unused;
	for (unsigned int i = 0; i < 4; i++) {
		say("2");
		pass(60);
		assert_string_equal(reason, "");
	}
	pass(60);
	assert_string_equal(
	    reason, "4.4.2 timed out while waiting for the greeting");
}

/* -- Goodbye --------------------------------------------------------------- */

/* The host hears this, and nothing else. */
static void
expect(const char *words)
{
	char buffer[256];
	ssize_t n;

	run_until_readable(host);
	n = recv(host, buffer, sizeof(buffer) - 1, 0);
	assert_true(n >= 0);
	buffer[n] = '\0';
	assert_string_equal(buffer, words);
}

static bool
hears_nothing(void)
{
	char octet;

	return recv(host, &octet, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

/* RFC 5321 3.1. The message is over before the host has answered. */
static void
test_goodbye(void **unused)
{
	(void)unused;
	say("554 no mail here\r\n");
	assert_string_equal(reason, "554 no mail here");
	expect("QUIT\r\n");
	assert_null(connection_take_idle(KEY));
	assert_true(hears_nothing());
	say("221 bye\r\n");
	expect("");
}

/* For 5 seconds from when it began, whatever is said. */
static void
test_goodbye_to_nobody(void **unused)
{
	(void)unused;
	say("220 mx.test\r\n");
	take(strlen("EHLO client.test\r\n"));
	say("250-mx.test\r\n250 PIPELINING\r\n");
	take(strlen("MAIL FROM:<s@src.test>\r\n") +
	     RECIPIENTS * strlen("RCPT TO:<r@dst.test>\r\n") +
	     strlen("DATA\r\n"));
	say("451 later\r\n");
	assert_string_equal(reason, "451 later");
	pass(4);
	for (unsigned int i = 0; i < RECIPIENTS; i++)
		say("503 no\r\n");
	assert_true(hears_nothing());
	say("503 no\r\n");
	expect("QUIT\r\n");
	assert_true(hears_nothing());
	pass(1);
	expect("");
}

/* Its place is given to who needs it; so is that of an idle one, which says
 * goodbye too. */
static void
make_room(void)
{
	for (unsigned int i = 1; i < LIMIT_CONNECTIONS; i++)
		room_take();
	assert_false(room_is_left());
	assert_true(connection_has_room());
	for (unsigned int i = 1; i < LIMIT_CONNECTIONS; i++)
		room_give_back();
}

static void
test_room_of_leaving(void **unused)
{
	(void)unused;
	say("554 no mail here\r\n");
	make_room();
	expect("QUIT\r\n");
	expect("");
}

static void
test_room_of_idle(void **unused)
{
	(void)unused;
	talk(0);
	take(SIZE + strlen(".\r\n"));
	say("250 taken\r\n");
	assert_true(is_done);
	make_room();
	is_done = false;
	connection = NULL;
	expect("QUIT\r\n");
	expect("");
}

/* -- The next message ------------------------------------------------------ */

/* This one is taken. */
static void
end_message(void)
{
	take(SIZE + strlen(".\r\n"));
	say("250 taken\r\n");
	assert_true(is_done);
}

/* Another one on the same connection, from MAIL on. */
static void
send_another(void)
{
	connection = connection_take_idle(KEY);
	assert_non_null(connection);
	is_done = false;
	for (unsigned int i = 0; i < RECIPIENTS; i++)
		transaction->recipients[i].settled = false;
	connection_send(connection, transaction, content, &user, NULL);
	take(strlen("MAIL FROM:<s@src.test>\r\n"));
	for (unsigned int i = 0; i < RECIPIENTS; i++) {
		say("250 ok\r\n");
		take(strlen("RCPT TO:<r@dst.test>\r\n"));
	}
	say("250 ok\r\n");
	take(strlen("DATA\r\n"));
	say("354 go\r\n");
}

static void
test_idle(void **unused)
{
	(void)unused;
	talk(0);
	end_message();
	pass(LIMIT_IDLE_SECONDS - 1);
	assert_true(hears_nothing());
	send_another();
	end_message();
	pass(LIMIT_IDLE_SECONDS);
	expect("QUIT\r\n");
	assert_null(connection_take_idle(KEY));
}

static void
test_many_messages(void **unused)
{
	(void)unused;
	talk(0);
	end_message();
	for (unsigned int i = 1; i < LIMIT_MESSAGES_A_CONNECTION; i++) {
		assert_true(hears_nothing());
		send_another();
		end_message();
	}
	expect("QUIT\r\n");
	assert_null(connection_take_idle(KEY));
}

static void
test_old_connection(void **unused)
{
	(void)unused;
	talk(0);
	pass(LIMIT_CONNECTION_SECONDS - 200);
	end_message();
	send_another();
	pass(100);
	take(SIZE / 2);
	pass(100);
	take(SIZE - SIZE / 2 + strlen(".\r\n"));
	say("250 taken\r\n");
	assert_true(is_done);
	expect("QUIT\r\n");
	assert_null(connection_take_idle(KEY));
}

/* -- Two at once ----------------------------------------------------------- */

static void
refuse(int peer)
{
	static const char words[] = "554 no mail here\r\n";

	assert_int_equal(
	    send(peer, words, sizeof(words) - 1, 0), sizeof(words) - 1);
}

/* Though the other host has spoken before. */
static void
test_fresh_mail_is_handled_first(void **unused)
{
	struct transaction *fresh =
	    transaction_new("s@src.test", SMTP_BODY_7BIT, SIZE, 1);
	struct connection *c;
	int peer;

	(void)unused;
	assert_int_equal(transaction_add(fresh, 9, "r@new.test", 0, ""), 0);
	fresh->fresh = true;
	c = connection_open("mx:new.test", ROUTE_MX, &there, "mx.new.test");
	assert_non_null(c);
	connection_send(c, fresh, content, &user, fresh);
	run_until_readable(listener);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	for (unsigned int i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	refuse(host);
	refuse(peer);
	for (unsigned int i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(ended_count, 2);
	assert_ptr_equal(ended[0], fresh);
	assert_ptr_equal(ended[1], transaction);
	transaction_free(&fresh);
	close(peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slow_reader),
		TEST(test_no_reader),
		TEST(test_overdue),
		TEST(test_sent_in_time),
		TEST(test_no_last_reply),
		TEST(test_octets),
		TEST(test_goodbye),
		TEST(test_goodbye_to_nobody),
		TEST(test_room_of_leaving),
		TEST(test_room_of_idle),
		TEST(test_idle),
		TEST(test_many_messages),
		TEST(test_old_connection),
		TEST(test_fresh_mail_is_handled_first),
	};

	alarm(60);
	base = priority_base_new();
	if (base == NULL)
		return 1;
	connection_init(base, "client.test", on_room);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
