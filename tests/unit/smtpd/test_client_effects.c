/* What a message holds, from DATA until its outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/limits.h"
#include "smtpd/client_core.h"
#include "smtpd/client_effects.h"

/* A router that takes everything and says nothing. */
static int router_holds = -1;
static unsigned int abandoned;

int
link_router_open(struct router_exchange *e, unsigned int slot,
    const struct message_open *open)
{
	(void)e;
	(void)slot;
	(void)open;
	return 0;
}

int
link_router_recipient(
    const struct router_exchange *e, const struct message_recipient *recipient)
{
	(void)e;
	(void)recipient;
	return 0;
}

int
link_router_content(const struct router_exchange *e, int fd_take, uint64_t size,
    unsigned int hops)
{
	(void)e;
	(void)size;
	(void)hops;
	router_holds = fd_take;
	return 0;
}

int
link_router_abandon(const struct router_exchange *e, unsigned int reason)
{
	(void)e;
	(void)reason;
	abandoned++;
	return 0;
}

void
link_router_close(struct router_exchange *e)
{
	(void)e;
}

static struct client_service service = {
	.rules = { .hostname = "mx.test", .size = LIMIT_MESSAGE_SIZE_MOST },
};
static struct client client = { .service = &service };
static struct transaction transaction = { .id = 77, .asked = 2 };

#define PIECE ((size_t)INTAKE_BUFFER * 16)

static int
set_up(void **unused)
{
	(void)unused;
	client.session = session_new(&service.rules, &client_effects, &client);
	transaction.declared_size = 0;
	return client.session == NULL ? -1 : 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	session_free(&client.session);
	if (router_holds != -1)
		close(router_holds);
	router_holds = -1;
	return 0;
}

static void
send_message(void)
{
	static uint8_t piece[PIECE];
	const struct session_effects *e = &client_effects;

	assert_int_equal(e->content_begin(&client, &transaction), 0);
	assert_int_equal(e->content_add(&client, piece, sizeof(piece)), 0);
	assert_int_equal(e->content_send(&client, 0), 0);
	assert_int_not_equal(router_holds, -1);
}

/* Whatever the end is, and not before. */
static void
test_counts_until_its_end(void **unused)
{
	(void)unused;
	for (int why = 0; why < SESSION_ENDS; why++) {
		abandoned = 0;
		send_message();
		assert_false(intake_has_room(LIMIT_CONTENT_IN_HAND - PIECE));
		client_effects.end(&client, (enum session_end)why);
		assert_int_equal(abandoned, why >= SESSION_END_RESET);
		assert_true(intake_has_room(LIMIT_CONTENT_IN_HAND));
		close(router_holds);
		router_holds = -1;
	}
}

static void
expect_content(const char *sent, const char *stored)
{
	const struct session_effects *e = &client_effects;
	char got[LIMIT_TRACE + 256];
	const char *end;
	ssize_t length;

	assert_int_equal(e->content_begin(&client, &transaction), 0);
	for (const char *at = sent; *at != '\0'; at++)
		assert_int_equal(
		    e->content_add(&client, (const uint8_t *)at, 1), 0);
	assert_int_equal(e->content_send(&client, 0), 0);
	length = pread(router_holds, got, sizeof(got) - 1, 0);
	assert_true(length > 0);
	got[length] = '\0';
	end = strstr(got, "+0000\r\n");
	assert_non_null(end);
	assert_string_equal(end + strlen("+0000\r\n"), stored);
	close(router_holds);
	router_holds = -1;
	e->end(&client, SESSION_END_OUTCOME);
}

/* Our trace field ends where it ends. */
static void
test_what_follows_the_trace(void **unused)
{
	(void)unused;
	expect_content("A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n");
	expect_content("\r\nc\r\n", "\r\nc\r\n");
	expect_content("hello\r\n", "\r\nhello\r\n");
	expect_content(" by x\r\nA: b\r\n", "\r\n by x\r\nA: b\r\n");
	expect_content("", "");
}

/* What was announced must fit before it is asked for. */
static void
test_announced_size(void **unused)
{
	const struct session_effects *e = &client_effects;

	(void)unused;
	transaction.declared_size = LIMIT_MESSAGE_SIZE_MOST;
	assert_int_equal(e->content_begin(&client, &transaction), 0);
	e->end(&client, SESSION_END_CONTENT);
	transaction.declared_size = LIMIT_CONTENT_IN_HAND - LIMIT_TRACE + 1;
	assert_int_equal(e->content_begin(&client, &transaction), -1);
	e->end(&client, SESSION_END_RESET);
	assert_true(intake_has_room(LIMIT_CONTENT_IN_HAND));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_counts_until_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_announced_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_what_follows_the_trace, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
