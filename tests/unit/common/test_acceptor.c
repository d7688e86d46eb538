/* Accepting: who connects, pauses, a lack of descriptors. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/acceptor.h"

#define MOST 20

static struct {
	struct event_base *base;
	struct acceptor *acceptor;
	struct sockaddr_in address;
	int listener;
	int clients[MOST], taken[MOST];
	in_port_t from[MOST];
	int client_count, taken_count;
	int pause_at; /* 0: never */
} hall;

static void
on_taken(int fd_take, const struct sockaddr *from, void *context)
{
	assert_ptr_equal(context, &hall);
	assert_int_equal(from->sa_family, AF_INET);
	hall.from[hall.taken_count] =
	    ((const struct sockaddr_in *)(const void *)from)->sin_port;
	hall.taken[hall.taken_count++] = fd_take;
	if (hall.taken_count == hall.pause_at)
		acceptor_pause(hall.acceptor);
}

static int
set_up(void **unused)
{
	socklen_t length = sizeof(hall.address);

	(void)unused;
	hall.client_count = hall.taken_count = hall.pause_at = 0;
	hall.address = (struct sockaddr_in){ .sin_family = AF_INET };
	hall.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	hall.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(hall.listener, (struct sockaddr *)&hall.address, length) ==
		-1 ||
	    listen(hall.listener, MOST) == -1 ||
	    getsockname(
		hall.listener, (struct sockaddr *)&hall.address, &length) == -1)
		return -1;
	hall.base = event_base_new();
	hall.acceptor = acceptor_new(hall.base, hall.listener, on_taken, &hall);
	return hall.acceptor == NULL ? -1 : 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	acceptor_free(&hall.acceptor);
	event_base_free(hall.base);
	close(hall.listener);
	for (int i = 0; i < hall.client_count; i++)
		close(hall.clients[i]);
	for (int i = 0; i < hall.taken_count; i++)
		close(hall.taken[i]);
	return 0;
}

static void
connect_some(int count)
{
	while (count-- > 0) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_int_equal(
		    connect(fd, (const struct sockaddr *)&hall.address,
			sizeof(hall.address)),
		    0);
		hall.clients[hall.client_count++] = fd;
	}
}

static void
turn(void)
{
	event_base_loop(hall.base, EVLOOP_NONBLOCK);
}

static void
test_takes_all(void **unused)
{
	(void)unused;
	connect_some(MOST);
	for (int i = 0; i < MOST; i++)
		turn();
	assert_int_equal(hall.taken_count, MOST);
	for (int i = 0; i < MOST; i++) {
		struct sockaddr_in own;
		socklen_t length = sizeof(own);

		assert_int_equal(getsockname(hall.clients[i],
				     (struct sockaddr *)&own, &length),
		    0);
		assert_int_equal(hall.from[i], own.sin_port);
	}
}

/* It takes effect at once, in the middle of a turn. */
static void
test_pause(void **unused)
{
	(void)unused;
	hall.pause_at = 2;
	connect_some(5);
	turn();
	turn();
	assert_int_equal(hall.taken_count, 2);
	acceptor_resume(hall.acceptor);
	acceptor_resume(hall.acceptor);
	turn();
	assert_int_equal(hall.taken_count, 5);
}

/* It is tried again by itself, and not all the time; a pause outlasts that. */
static void
test_lack(void **unused)
{
	struct rlimit before, none;
	int turns = 0;

	(void)unused;
	connect_some(3);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	turn();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	turn();
	assert_int_equal(hall.taken_count, 0);
	acceptor_pause(hall.acceptor);
	event_base_loop(hall.base, EVLOOP_ONCE); /* its timer */
	turn();
	assert_int_equal(hall.taken_count, 0);
	acceptor_resume(hall.acceptor);
	while (hall.taken_count == 0 && turns++ < 1000)
		event_base_loop(hall.base, EVLOOP_ONCE);
	assert_int_equal(hall.taken_count, 3);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_takes_all),
		TEST(test_pause),
		TEST(test_lack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
