#include "tests/unit/supervisor/test.h"

#include <sys/socket.h>

#include <netinet/in.h>

#include <unistd.h>

#include "supervisor/listeners.h"

static char any[] = "*", four[] = "127.0.0.1", other_four[] = "127.0.0.7",
	    six[] = "::1", mapped[] = "mail.example.org", path[] = "conf";

static struct config
config_of(struct listen_config *listens, unsigned int count)
{
	struct config config = { 0 };

	config.path = path;
	config.listens = listens;
	config.listen_count = count;
	return config;
}

static int
plan(struct listeners *l, struct listen_config *listens, unsigned int count,
    char *text, size_t size)
{
	struct config config = config_of(listens, count);
	FILE *errors = fmemopen(text, size, "w");
	int result;

	assert_non_null(errors);
	memset(text, 0, size);
	result = listeners_plan(l, &config, errors);
	fclose(errors);
	return result;
}

static void
test_numbers(void **context)
{
	struct listen_config listens[] = { { any, 25 }, { four, 26 },
		{ six, 27 }, { any, 28 } };
	static const struct {
		uint32_t number;
		int family;
		const char *address;
		uint16_t port;
	} expected[] = {
		{ 0, AF_INET, "0.0.0.0", 25 },
		{ 0 + LISTENERS_SECOND, AF_INET6, "::", 25 },
		{ 1, AF_INET, "127.0.0.1", 26 },
		{ 2, AF_INET6, "::1", 27 },
		{ 3, AF_INET, "0.0.0.0", 28 },
		{ 3 + LISTENERS_SECOND, AF_INET6, "::", 28 },
	};
	struct listeners l;
	char text[200];

	(void)context;
	assert_int_equal(0, plan(&l, listens, 4, text, sizeof(text)));
	assert_int_equal(6, l.count);
	for (unsigned int i = 0; i < l.count; i++) {
		assert_int_equal(expected[i].number, l.list[i].number);
		assert_int_equal(expected[i].family, l.list[i].family);
		assert_string_equal(expected[i].address, l.list[i].address);
		assert_int_equal(expected[i].port, l.list[i].port);
		assert_int_equal(-1, l.list[i].fd);
	}
}

/* As many as there can be: all numbers differ, none is out of range. */
static void
test_numbers_do_not_clash(void **context)
{
	struct listen_config listens[LISTENERS_SECOND + 1];
	bool seen[LIMIT_LISTENERS] = { false };
	struct listeners l;
	char text[200];

	(void)context;
	for (unsigned int i = 0; i <= LISTENERS_SECOND; i++)
		listens[i] = (struct listen_config){ any, (uint16_t)(i + 1) };
	assert_int_equal(
	    0, plan(&l, listens, LISTENERS_SECOND, text, sizeof(text)));
	assert_int_equal(LIMIT_LISTENERS, l.count);
	for (unsigned int i = 0; i < l.count; i++) {
		assert_true(l.list[i].number < LIMIT_LISTENERS);
		assert_false(seen[l.list[i].number]);
		seen[l.list[i].number] = true;
		assert_int_equal(
		    l.list[i].port - 1, l.list[i].number % LISTENERS_SECOND);
	}
	assert_int_equal(
	    -1, plan(&l, listens, LISTENERS_SECOND + 1, text, sizeof(text)));
	assert_non_null(strstr(text, "at most 32"));
}

static void
test_names_are_no_addresses(void **context)
{
	struct listen_config listens[] = { { mapped, 25 } };
	struct listeners l;
	char text[200];

	(void)context;
	assert_int_equal(-1, plan(&l, listens, 1, text, sizeof(text)));
	assert_non_null(strstr(text, "not an address"));
}

static uint16_t
free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t length = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&a, length));
	assert_int_equal(0, getsockname(fd, (struct sockaddr *)&a, &length));
	close(fd);
	return ntohs(a.sin_port);
}

static void
open_lines(struct listeners *l, struct listeners *held, int expected,
    char *address, uint16_t port, char *address2)
{
	struct listen_config listens[] = { { address, port },
		{ address2, port } };
	char text[400];
	FILE *errors;

	assert_int_equal(
	    0, plan(l, listens, address2 != NULL ? 2 : 1, text, sizeof(text)));
	errors = fmemopen(text, sizeof(text), "w");
	assert_non_null(errors);
	assert_int_equal(expected, listeners_open(l, held, errors));
	fclose(errors);
	if (expected == -1)
		assert_non_null(strstr(text, "Address already in use"));
}

static bool
option_is_set(int fd, int level, int option)
{
	int value = 0;
	socklen_t length = sizeof(value);

	assert_int_equal(0, getsockopt(fd, level, option, &value, &length));
	return value != 0;
}

static void
test_open(void **context)
{
	struct listeners first, second;
	uint16_t port = free_port();

	(void)context;
	open_lines(&first, NULL, 0, four, port, NULL);
	assert_true(option_is_set(first.list[0].fd, SOL_SOCKET, SO_ACCEPTCONN));
	/* A stranger's port, and all or nothing. */
	open_lines(&second, NULL, -1, other_four, port, four);
	assert_int_equal(-1, second.list[0].fd);
	assert_int_equal(-1, second.list[1].fd);
	listeners_close(&first);
	assert_int_equal(-1, first.list[0].fd);
	open_lines(&second, NULL, 0, other_four, port, four);
	listeners_close(&second);
}

static void
test_same_socket_is_shared(void **context)
{
	struct listeners old, new;
	uint16_t port = free_port();
	uint64_t cookie[2];
	socklen_t length = sizeof(cookie[0]);

	(void)context;
	open_lines(&old, NULL, 0, four, port, NULL);
	open_lines(&new, &old, 0, other_four, port, four);
	assert_int_not_equal(old.list[0].fd, new.list[1].fd);
	assert_int_equal(0, getsockopt(old.list[0].fd, SOL_SOCKET, SO_COOKIE,
				&cookie[0], &length));
	assert_int_equal(0, getsockopt(new.list[1].fd, SOL_SOCKET, SO_COOKIE,
				&cookie[1], &length));
	assert_int_equal(cookie[0], cookie[1]);
	/* The old set goes, and the socket stays open. */
	listeners_close(&old);
	assert_true(option_is_set(new.list[1].fd, SOL_SOCKET, SO_ACCEPTCONN));
	listeners_close(&new);
}

/* "*" becomes one address, then "*" again, without a moment of silence; and
 * never does anybody else get in beside us. */
static void
test_overlap_with_our_own(void **context)
{
	struct listeners wide, narrow, stranger;
	uint16_t port = free_port();

	(void)context;
	open_lines(&wide, NULL, 0, any, port, NULL);
	open_lines(&narrow, &wide, 0, four, port, NULL);
	assert_false(option_is_set(wide.list[0].fd, SOL_SOCKET, SO_REUSEPORT));
	assert_false(
	    option_is_set(narrow.list[0].fd, SOL_SOCKET, SO_REUSEPORT));
	listeners_close(&wide);
	open_lines(&stranger, NULL, -1, any, port, NULL);
	open_lines(&wide, &narrow, 0, any, port, NULL);
	listeners_close(&narrow);
	open_lines(&stranger, NULL, -1, four, port, NULL);
	listeners_close(&wide);
}

/* A client's connection, or -1. */
static int
dial(uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_not_equal(fd, -1);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Not listening, and still ours; then listening as before, also after it was
 * said twice. */
static void
test_refuse_and_listen(void **context)
{
	uint16_t port = free_port();
	struct listeners l, stranger;
	char octet;
	int client, taken;

	(void)context;
	open_lines(&l, NULL, 0, four, port, NULL);
	client = dial(port);
	assert_int_not_equal(client, -1);
	assert_int_equal(listeners_refuse(&l), 0);
	assert_int_equal(listeners_refuse(&l), 0);
	/* Whoever was not accepted yet is not kept waiting either. */
	assert_int_equal(recv(client, &octet, 1, 0), -1);
	close(client);
	assert_int_equal(dial(port), -1);
	open_lines(&stranger, NULL, -1, four, port, NULL);
	assert_int_equal(listeners_listen(&l), 0);
	assert_int_equal(listeners_listen(&l), 0);
	client = dial(port);
	assert_int_not_equal(client, -1);
	taken = accept(l.list[0].fd, NULL, NULL);
	assert_int_not_equal(taken, -1);
	assert_int_equal(send(client, "x", 1, 0), 1);
	assert_int_equal(recv(taken, &octet, 1, 0), 1);
	assert_int_equal(send(taken, "x", 1, 0), 1);
	assert_int_equal(recv(client, &octet, 1, 0), 1);
	close(taken);
	close(client);
	listeners_close(&l);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_numbers_do_not_clash),
		cmocka_unit_test(test_names_are_no_addresses),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_same_socket_is_shared),
		cmocka_unit_test(test_overlap_with_our_own),
		cmocka_unit_test(test_refuse_and_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
