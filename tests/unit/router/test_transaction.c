#include "tests/unit/router/test.h"

#include <errno.h>
#include <fcntl.h>

#include "common/content.h"
#include "common/message.h"
#include "router/transaction.h"

#include "tests/unit/router/house.h"

static struct house house;

static struct message_open
good_open(void)
{
	return (struct message_open){
		.client_address = "198.51.100.9",
		.client_name = "client.example",
		.helo = "client.example",
		.user = "",
		.sender = "s@far.example",
		.protocol = SMTP_PROTOCOL_ESMTP,
		.body = SMTP_BODY_8BITMIME,
		.declared_size = 100,
		.envid = "",
		.tls_version = "",
		.tls_cipher = "",
	};
}

static struct transaction *
new_transaction(void)
{
	struct message_open m = good_open();
	struct transaction *t = transaction_new(&house.expander, &m);

	assert_non_null(t);
	return t;
}

static int
add(struct transaction *t, const char *to, bool ready, struct reply *reply)
{
	const struct message_recipient m = { .address = to, .orcpt = "" };

	return transaction_add_recipient(t, &m, ready, reply);
}

static void
expect_recipient(struct transaction *t, const char *to, unsigned int code)
{
	struct reply reply = { .code = 0 };

	assert_int_equal(add(t, to, true, &reply), 0);
	if (reply.code != code)
		fail_msg("%s: %u %s", to, reply.code, reply.text);
}

static int
sealed(const char *text)
{
	int fd = content_create();

	assert_int_not_equal(fd, -1);
	assert_int_equal(content_write(fd, text, strlen(text)), 0);
	assert_int_equal(content_seal(fd), 0);
	return fd;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void
checks_what_smtpd_says(void **state)
{
	enum { ROWS = 23 };
	struct message_open rows[ROWS];
	int n = 0;

	(void)state;
	for (int i = 0; i < ROWS; i++)
		rows[i] = good_open();
	rows[n++].client_address = "";
	rows[n++].client_address = "198.51.100";
	rows[n++].client_address = "198.51.100.9 ";
	rows[n++].client_address = "2001:db8::g";
	rows[n++].client_address = "localhost";
	rows[n++].client_name = "no name";
	rows[n++].client_name = "a\nb";
	rows[n++].helo = "a\r\nb";
	rows[n++].helo = "a\x7f";
	rows[n++].user = "a\nb";
	rows[n++].sender = "nobody";
	rows[n++].sender = "<s@far.example>";
	rows[n++].sender = "s@far.example x";
	rows[n++].sender = "s@far.example\n";
	rows[n++].sender = "postmaster";
	rows[n++].sender = "@far.example";
	rows[n++].protocol = SMTP_PROTOCOLS;
	rows[n++].body = SMTP_BODIES;
	rows[n++].body = 255;
	rows[n++].listener = LIMIT_LISTENERS;
	rows[n++].ret = DSN_RETS;
	rows[n++].envid = "a b";
	rows[n++].envid = "a\r\nRCPT";
	assert_int_equal(n, ROWS);
	for (int i = 0; i < ROWS; i++) {
		errno = 0;
		if (transaction_new(&house.expander, &rows[i]) != NULL)
			fail_msg("row %d", i);
		assert_int_equal(errno, EPROTO);
	}
}

static void
takes_all_that_is_right(void **state)
{
	enum { ROWS = 8 };
	struct message_open rows[ROWS];

	(void)state;
	for (int i = 0; i < ROWS; i++)
		rows[i] = good_open();
	rows[1].client_address = "2001:db8::9";
	rows[2].sender = "";
	rows[3].client_address = "";
	rows[3].protocol = SMTP_PROTOCOL_LOCAL;
	rows[4].client_name = "";
	rows[5].helo = "[192.0.2.1]";
	rows[6].sender = "\"a b\"@far.example";
	rows[7].ret = DSN_RET_HDRS;
	rows[7].envid = "a+20b";
	for (int i = 0; i < ROWS; i++) {
		struct transaction *t =
		    transaction_new(&house.expander, &rows[i]);

		if (t == NULL)
			fail_msg("row %d", i);
		transaction_free(&t);
		assert_null(t);
	}
}

/* Who the client is decides what it may do. */
static void
knows_its_client(void **state)
{
	static const struct {
		const char *address, *user;
		unsigned int protocol, code;
	} rows[] = {
		{ "198.51.100.9", "", SMTP_PROTOCOL_ESMTP, 550 },
		{ "2001:db8::9", "", SMTP_PROTOCOL_ESMTP, 550 },
		{ "198.51.100.9", "bob", SMTP_PROTOCOL_ESMTPA, 250 },
		{ "127.0.0.1", "", SMTP_PROTOCOL_ESMTP, 250 },
		{ "127.9.9.9", "", SMTP_PROTOCOL_ESMTP, 250 },
		{ "128.0.0.1", "", SMTP_PROTOCOL_ESMTP, 550 },
		{ "::1", "", SMTP_PROTOCOL_ESMTP, 250 },
		{ "::ffff:127.0.0.1", "", SMTP_PROTOCOL_ESMTP, 250 },
		{ "::ffff:198.51.100.9", "", SMTP_PROTOCOL_ESMTP, 550 },
		{ "::", "", SMTP_PROTOCOL_ESMTP, 550 },
		{ "0.0.0.0", "", SMTP_PROTOCOL_ESMTP, 550 },
		{ "", "", SMTP_PROTOCOL_LOCAL, 250 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct message_open m = good_open();
		struct transaction *t;
		struct reply reply;

		m.client_address = rows[i].address;
		m.user = rows[i].user;
		m.protocol = (uint8_t)rows[i].protocol;
		t = transaction_new(&house.expander, &m);
		assert_non_null(t);
		assert_int_equal(
		    add(t, "x@elsewhere.example", true, &reply), 0);
		if (reply.code != rows[i].code)
			fail_msg("%s: %u", rows[i].address, reply.code);
		transaction_free(&t);
	}
}

static void
refuses_bad_recipients(void **state)
{
	static const char *const rows[] = { "", "bob", "<bob@here.example>",
		"bob@here.example\r\nDATA", "bob@", "@here.example", "a b",
		"bob@here.example,alice@here.example" };
	struct transaction *t = new_transaction();
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		errno = 0;
		if (add(t, rows[i], true, &reply) != -1)
			fail_msg("%s", rows[i]);
		assert_int_equal(errno, EPROTO);
	}
	transaction_free(&t);
}

static void
refuses_bad_wishes_for_reports(void **state)
{
	static const struct message_recipient rows[] = {
		{ 0, "bob@here.example", DSN_NOTIFY_NEVER | DSN_NOTIFY_DELAY,
		    "" },
		{ 0, "bob@here.example", 0x10, "" },
		{ 0, "bob@here.example", 0, "bob@here.example" },
		{ 0, "bob@here.example", 0, "rfc822;a b" },
		{ 0, "bob@here.example", 0, "rfc822;a\r\nb" },
	};
	struct transaction *t = new_transaction();
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		errno = 0;
		if (transaction_add_recipient(t, &rows[i], true, &reply) != -1)
			fail_msg("row %zu", i);
		assert_int_equal(errno, EPROTO);
	}
	transaction_free(&t);
}

static void
keeps_wishes_for_reports(void **state)
{
	static const struct message_recipient m = { 0, "bob@here.example",
		DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY, "rfc822;bob+2Bx@a.b" };
	struct message_open open = good_open();
	struct message envelope = MESSAGE_INIT(MESSAGE_ENVELOPE, 7);
	struct transaction *t;
	struct reply reply;
	const struct route *route;

	(void)state;
	open.ret = DSN_RET_FULL;
	open.envid = "a+20b";
	t = transaction_new(&house.expander, &open);
	assert_non_null(t);
	assert_int_equal(transaction_add_recipient(t, &m, true, &reply), 0);
	assert_int_equal(reply.code, 250);
	route = STAILQ_FIRST(&transaction_routes(t)->list);
	assert_int_equal(route->notify, m.notify);
	assert_string_equal(route->orcpt, m.orcpt);
	assert_int_equal(
	    transaction_add_content(t, sealed("x"), 1, 1, &reply), 0);
	transaction_make_envelope(t, &envelope);
	assert_int_equal(envelope.envelope.ret, DSN_RET_FULL);
	assert_string_equal(envelope.envelope.envid, "a+20b");
	close(envelope.fd);
	transaction_free(&t);
}

static void
becomes_an_envelope(void **state)
{
	struct transaction *t = new_transaction();
	struct message m = MESSAGE_INIT(MESSAGE_ENVELOPE, 7);
	struct reply reply;
	int fd = sealed("content");

	(void)state;
	assert_int_not_equal(transaction_id(t), 0);
	expect_recipient(t, "bob@here.example", 250);
	expect_recipient(t, "eve@here.example", 550);
	expect_recipient(t, "bob@here.example", 250);
	assert_int_equal(transaction_add_content(t, fd, 7, 3, &reply), 0);
	transaction_make_envelope(t, &m);
	assert_int_equal(m.fd, fd);
	assert_int_equal(m.envelope.id, transaction_id(t));
	assert_string_equal(m.envelope.sender, "s@far.example");
	assert_string_equal(m.envelope.client_address, "198.51.100.9");
	assert_string_equal(m.envelope.helo, "client.example");
	assert_int_equal(m.envelope.protocol, SMTP_PROTOCOL_ESMTP);
	assert_int_equal(m.envelope.body, SMTP_BODY_8BITMIME);
	assert_int_equal(m.envelope.size, 7);
	assert_int_equal(m.envelope.recipients, 1);
	transaction_free(&t);
	assert_true(is_open(fd)); /* it is the message's now */
	close(fd);
}

static void
counts_recipients(void **state)
{
	struct transaction *t = new_transaction();

	(void)state;
	expect_recipient(t, "bob@here.example", 250);
	expect_recipient(t, "alice@here.example", 250);
	expect_recipient(t, "eve@here.example", 550);
	expect_recipient(t, "carol@here.example", 452);
	transaction_free(&t);
}

static void
needs_a_queue(void **state)
{
	struct transaction *t = new_transaction();
	struct reply reply;

	(void)state;
	assert_int_equal(add(t, "bob@here.example", false, &reply), 0);
	assert_int_equal(reply.code, 451);
	assert_int_equal(transaction_routes(t)->count, 0);
	transaction_free(&t);
}

static void
refuses_content(void **state)
{
	static const struct {
		bool recipient;
		uint32_t hops;
		unsigned int code;
	} rows[] = {
		{ true, LIMIT_HOPS, 0 },
		{ true, LIMIT_HOPS + 1, 554 },
		{ true, UINT32_MAX, 554 },
		{ false, 1, 554 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct transaction *t = new_transaction();
		struct reply reply = { .code = 0 };
		int fd = sealed("x");

		if (rows[i].recipient)
			expect_recipient(t, "bob@here.example", 250);
		assert_int_equal(
		    transaction_add_content(t, fd, 1, rows[i].hops, &reply),
		    rows[i].code == 0 ? 0 : 1);
		assert_int_equal(reply.code, rows[i].code);
		transaction_free(&t);
		assert_false(is_open(fd));
	}
}

static int
add_content_of_size(struct transaction *t, uint64_t size, struct reply *reply)
{
	int fd = content_create();

	expect_recipient(t, "bob@here.example", 250);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(content_seal(fd), 0);
	return transaction_add_content(t, fd, size, 1, reply);
}

/* The trace header that smtpd adds is not the client's. */
static void
refuses_what_is_too_big(void **state)
{
	const uint64_t most = 1024 * 1024 + LIMIT_TRACE;
	struct message_open m = good_open();
	struct transaction *t = new_transaction();
	struct reply reply;

	(void)state;
	assert_int_equal(add_content_of_size(t, most, &reply), 0);
	transaction_free(&t);
	t = new_transaction();
	assert_int_equal(add_content_of_size(t, most + 1, &reply), 1);
	assert_int_equal(reply.code, 552);
	transaction_free(&t);
	m.declared_size = 1024 * 1024 + 1;
	t = transaction_new(&house.expander, &m);
	expect_recipient(t, "bob@here.example", 552);
	transaction_free(&t);
}

/* Otherwise a small limit would be one on hearing of losses. What is redirected
 * is somebody's mail. */
static void
takes_a_report_of_any_size(void **state)
{
	const uint64_t much = 2 * 1024 * 1024 + LIMIT_TRACE;
	struct message_open m = good_open();
	struct transaction *t;
	struct reply reply;

	(void)state;
	m.sender = "";
	for (unsigned int inject = 0; inject < 2; inject++) {
		t = transaction_new(&house.expander, &m);
		transaction_set_inject(t, inject);
		assert_int_equal(
		    add_content_of_size(t, much, &reply), inject == 0);
		transaction_free(&t);
	}
	t = transaction_new(&house.expander, &m);
	transaction_set_inject(t, INJECT_REDIRECTED | 1);
	assert_int_equal(add_content_of_size(t, much, &reply), 1);
	assert_int_equal(reply.code, 552);
	transaction_free(&t);
}

/* Whoever sent us mail hears of it, also where no rule lets this host send
 * anything; but no rule is passed over, and nothing else goes with it. */
static void
finds_a_way_for_each_report(void **state)
{
	static const char *const rules[] = {
		"accept to domain \"here.example\" mailbox \"people\"\n"
		"accept from authenticated relay\n",
		"accept from authenticated to domain \"here.example\" mailbox "
		"\"people\"\n",
		"reject to domain \"far.example\"\n"
		"accept to domain \"here.example\" mailbox \"people\"\n",
	};
	struct message_open m = good_open();

	(void)state;
	m.sender = m.client_address = m.client_name = m.helo = "";
	m.protocol = SMTP_PROTOCOL_LOCAL;
	for (size_t i = 0; i < COUNT(rules); i++) {
		char text[512];
		struct config *config;
		struct expander e = { .users = NULL };
		struct transaction *t;

		snprintf(text, sizeof(text),
		    "mailbox \"people\" users system deliver maildir "
		    "\"~/M\"\n%s",
		    rules[i]);
		e.config = config = test_config(text);
		e.tables = tables_new(e.config);
		t = transaction_new(&e, &m);
		transaction_set_inject(t, 1);
		expect_recipient(t, "s@far.example", i == 2 ? 550 : 250);
		expect_recipient(t, "bob@here.example", 250);
		expect_recipient(t, "eve@here.example", 550);
		assert_int_equal(transaction_routes(t)->count, i == 2 ? 1 : 2);
		transaction_free(&t);
		t = transaction_new(&e, &m);
		transaction_set_inject(t, INJECT_REDIRECTED | 1);
		expect_recipient(t, "s@far.example", 550);
		transaction_free(&t);
		tables_free(&e.tables);
		config_free(&config);
	}
}

/* Content that is not what it should be means that smtpd is not itself. */
static void
believes_only_sealed_content(void **state)
{
	struct transaction *t = new_transaction();
	struct reply reply;
	int fd, pipes[2];

	(void)state;
	expect_recipient(t, "bob@here.example", 250);
	fd = content_create();
	assert_int_equal(content_write(fd, "x", 1), 0);
	assert_int_equal(transaction_add_content(t, fd, 1, 1, &reply), -1);
	assert_false(is_open(fd));
	fd = sealed("x");
	assert_int_equal(transaction_add_content(t, fd, 2, 1, &reply), -1);
	assert_false(is_open(fd));
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(transaction_add_content(t, fd, 0, 1, &reply), -1);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(
	    transaction_add_content(t, pipes[0], 0, 1, &reply), -1);
	close(pipes[1]);
	transaction_free(&t);
}

static void
is_complete_once(void **state)
{
	struct transaction *t = new_transaction();
	struct reply reply;
	int second = sealed("y");

	(void)state;
	expect_recipient(t, "bob@here.example", 250);
	assert_int_equal(
	    transaction_add_content(t, sealed("x"), 1, 1, &reply), 0);
	assert_int_equal(add(t, "alice@here.example", true, &reply), -1);
	assert_int_equal(transaction_add_content(t, second, 1, 1, &reply), -1);
	assert_false(is_open(second));
	transaction_free(&t);
}

static int
set_up(void **state)
{
	(void)state;
	house_open(&house, "postmaster: bob\n");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	house_close(&house);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_what_smtpd_says),
		cmocka_unit_test(takes_all_that_is_right),
		cmocka_unit_test(knows_its_client),
		cmocka_unit_test(refuses_bad_recipients),
		cmocka_unit_test(refuses_bad_wishes_for_reports),
		cmocka_unit_test(keeps_wishes_for_reports),
		cmocka_unit_test(becomes_an_envelope),
		cmocka_unit_test(counts_recipients),
		cmocka_unit_test(needs_a_queue),
		cmocka_unit_test(refuses_content),
		cmocka_unit_test(refuses_what_is_too_big),
		cmocka_unit_test(takes_a_report_of_any_size),
		cmocka_unit_test(finds_a_way_for_each_report),
		cmocka_unit_test(believes_only_sealed_content),
		cmocka_unit_test(is_complete_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
