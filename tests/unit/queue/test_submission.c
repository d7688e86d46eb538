#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/content.h"
#include "common/mail.h"
#include "common/message.h"
#include "queue/destination_name.h"
#include "queue/submission.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int content; /* sealed, of 5 octets */

static int
set_up(void **state)
{
	(void)state;
	content = content_create();
	assert_int_not_equal(content, -1);
	assert_int_equal(content_write(content, "hello", 5), 0);
	return content_seal(content);
}

static int
tear_down(void **state)
{
	(void)state;
	return close(content);
}

static struct message_envelope
envelope(void)
{
	return (struct message_envelope){
		.id = 77,
		.sender = "a@example.net",
		.client_address = "192.0.2.1",
		.helo = "client",
		.user = "",
		.protocol = SMTP_PROTOCOL_ESMTP,
		.size = 5,
		.recipients = 2,
		.ret = DSN_RET_FULL,
		.envid = "a+20b",
		.client_name = "client.example",
		.tls_version = "TLSv1.3",
		.tls_cipher = "TLS_AES_256_GCM_SHA384",
		.config = "/etc/postern/postern.conf",
	};
}

static struct message_route
route(uint32_t number)
{
	return (struct message_route){
		.number = number,
		.address = "b@example.org",
		.original = "alias@example.org",
		.kind = ROUTE_MAILBOX,
		.name = "people",
		.user = "b",
		.notify = DSN_NOTIFY_SUCCESS,
		.orcpt = "rfc822;alias@example.org",
		.rule = 31,
		.via = "alias\tpeople\taliases\t/etc/aliases\t7",
	};
}

/* The descriptor of a submission is its own. */
static struct submission *
submission(void)
{
	struct message_envelope m = envelope();
	struct submission *s = submission_new(&m, dup(content), 1);

	assert_non_null(s);
	return s;
}

static void
test_a_whole_message(void **state)
{
	struct submission *s = submission();
	struct message_route m = route(0);
	size_t before = s->memory;

	(void)state;
	assert_int_equal(submission_add(s, &m), 0);
	assert_true(s->memory > before);
	m = route(1);
	m.kind = ROUTE_MX;
	m.address = "c@EXAMPLE.com";
	m.user = m.name = "";
	assert_int_equal(submission_add(s, &m), 0);
	assert_int_equal(s->count, s->expected);
	assert_string_equal(s->recipients[0].destination, "local:b");
	assert_string_equal(s->recipients[1].destination, "mx:example.com");
	assert_int_equal(s->ret, DSN_RET_FULL);
	assert_string_equal(s->envid, "a+20b");
	assert_string_equal(s->client_name, "client.example");
	assert_string_equal(s->tls_version, "TLSv1.3");
	assert_string_equal(s->tls_cipher, "TLS_AES_256_GCM_SHA384");
	assert_string_equal(s->config, "/etc/postern/postern.conf");
	assert_int_equal(s->recipients[0].rule, 31);
	assert_string_equal(s->recipients[0].via, m.via);
	assert_int_equal(s->recipients[0].notify, DSN_NOTIFY_SUCCESS);
	assert_string_equal(s->recipients[0].orcpt, "rfc822;alias@example.org");
	/* One form of each address. */
	assert_string_equal(s->recipients[1].address, "c@example.com");
	/* Not one more than was announced. */
	m = route(2);
	errno = 0;
	assert_int_equal(submission_add(s, &m), -1);
	assert_int_equal(errno, EPROTO);
	submission_free(&s);
	assert_null(s);
	submission_free(&s);
}

static void
refuse_envelope(const struct message_envelope *m)
{
	errno = 0;
	assert_null(submission_new(m, content, 1));
	assert_int_equal(errno, EPROTO);
	/* The descriptor stayed with us. */
	assert_int_not_equal(fcntl(content, F_GETFD), -1);
}

static void
test_envelopes_that_no_router_sends(void **state)
{
	static const char *const senders[] = { "a", "a@b@c", "<a@b.c>", "a b@c",
		"a@b\r\n", "a@-b", "postmaster" };
	struct message_envelope m = envelope();

	(void)state;
	m.id = 0;
	refuse_envelope(&m);
	m.id = UINT64_MAX;
	refuse_envelope(&m);
	m = envelope();
	m.recipients = 0;
	refuse_envelope(&m);
	m.recipients = LIMIT_EXPANSION + 1;
	refuse_envelope(&m);
	m = envelope();
	m.size = 6;
	refuse_envelope(&m);
	m.size = UINT64_MAX;
	refuse_envelope(&m);
	m = envelope();
	m.protocol = SMTP_PROTOCOLS;
	refuse_envelope(&m);
	m = envelope();
	m.body = SMTP_BODIES;
	refuse_envelope(&m);
	m = envelope();
	m.ret = DSN_RETS;
	refuse_envelope(&m);
	m = envelope();
	m.envid = "a b";
	refuse_envelope(&m);
	m.envid = "a\r\nQUIT";
	refuse_envelope(&m);
	m = envelope();
	m.client_address = "client";
	refuse_envelope(&m);
	m = envelope();
	m.client_name = "a b";
	refuse_envelope(&m);
	m = envelope();
	m.tls_version = "";
	refuse_envelope(&m);
	m = envelope();
	m.tls_cipher = "a cipher";
	refuse_envelope(&m);
	for (size_t i = 0; i < COUNT(senders); i++) {
		m = envelope();
		m.sender = senders[i];
		refuse_envelope(&m);
	}
}

static void
test_content_that_is_not_sealed(void **state)
{
	struct message_envelope m = envelope();
	int open_memfd = content_create(), file;
	char path[] = "/tmp/postern-test-XXXXXX";

	(void)state;
	assert_int_equal(content_write(open_memfd, "hello", 5), 0);
	errno = 0;
	assert_null(submission_new(&m, open_memfd, 1));
	assert_int_equal(errno, EPROTO);
	close(open_memfd);
	file = mkstemp(path);
	assert_int_not_equal(file, -1);
	unlink(path);
	assert_int_equal(write(file, "hello", 5), 5);
	errno = 0;
	assert_null(submission_new(&m, file, 1));
	assert_int_equal(errno, EPROTO);
	close(file);
}

static void
test_the_null_sender(void **state)
{
	struct message_envelope m = envelope();
	struct submission *s;

	(void)state;
	m.sender = "";
	s = submission_new(&m, dup(content), 1);
	assert_non_null(s);
	assert_string_equal(s->sender, "");
	submission_free(&s);
}

static void
test_routes_that_no_router_sends(void **state)
{
	static const struct message_route bad[] = {
		{ 1, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b", 0, "", 0, 3, "" },
		{ 0, "nonsense", "b@example.org", ROUTE_MAILBOX, "people", "b",
		    0, "", 0, 3, "" },
		{ 0, "", "b@example.org", ROUTE_MAILBOX, "people", "b", 0, "",
		    0, 3, "" },
		{ 0, "b@example.org", "", ROUTE_MAILBOX, "people", "b", 0, "",
		    0, 3, "" },
		{ 0, "b@example.org", "x\r\ny@z.a", ROUTE_MAILBOX, "people",
		    "b", 0, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_KINDS, "people",
		    "b", 0, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "", "b",
		    0, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "", 0, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "../b", 0, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "-b", 0, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b\n", 0, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_RELAY, "", "", 0,
		    "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_RELAY, "si\nnk",
		    "", 0, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "\x7f",
		    "b", 0, "", 0, 3, "" },
		{ 0, "postmaster", "postmaster", ROUTE_MX, "", "", 0, "", 0, 3,
		    "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b", DSN_NOTIFY_NEVER | DSN_NOTIFY_DELAY, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b", 0xff, "", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b", 0, "b@example.org", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b", 0, "rfc822;a\r\nDATA", 0, 3, "" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b", 0, "", 0, 3, "alias" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b", 0, "", 0, 3, "a\tp\tt\tf\t1\n\x1b" },
		{ 0, "b@example.org", "b@example.org", ROUTE_MAILBOX, "people",
		    "b", 0, "", 2, 3, "" },
	};
	struct submission *s = submission();

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		errno = 0;
		assert_int_equal(submission_add(s, &bad[i]), -1);
		assert_int_equal(errno, EPROTO);
		assert_int_equal(s->count, 0);
	}
	submission_free(&s);
}

static void
test_many_recipients(void **state)
{
	struct message_envelope m = envelope();
	struct message_route r = route(0);
	struct submission *s;
	char address[64];

	(void)state;
	m.recipients = LIMIT_EXPANSION;
	s = submission_new(&m, dup(content), 1);
	assert_non_null(s);
	/* What is announced costs nothing yet. */
	assert_true(s->memory < 4096);
	for (uint32_t i = 0; i < LIMIT_EXPANSION; i++) {
		snprintf(address, sizeof(address), "u%u@example.org", i);
		r.number = i;
		r.address = address;
		assert_int_equal(submission_add(s, &r), 0);
	}
	assert_string_equal(s->recipients[9999].address, "u9999@example.org");
	assert_string_equal(s->recipients[0].address, "u0@example.org");
	submission_free(&s);
}

static void
test_names_of_destinations(void **state)
{
	static const struct {
		uint8_t kind;
		const char *name, *user, *domain, *wanted;
	} rows[] = {
		{ ROUTE_MAILBOX, "people", "bob", "example.org", "local:bob" },
		{ ROUTE_RELAY, "sink", "", "example.org", "relay:sink" },
		{ ROUTE_MX, "", "", "example.org", "mx:example.org" },
		{ ROUTE_MX, "", "", "[192.0.2.1]", "mx:[192.0.2.1]" },
		{ ROUTE_MX, "", "", "", NULL },
		{ ROUTE_MAILBOX, "people", "", "example.org", NULL },
		{ ROUTE_RELAY, "", "x", "example.org", NULL },
		{ ROUTE_KINDS, "x", "x", "example.org", NULL },
	};
	char name[LIMIT_DESTINATION + 1], domain[LIMIT_DOMAIN + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int result = destination_name(rows[i].kind, rows[i].name,
		    rows[i].user, rows[i].domain, name);

		assert_int_equal(result, rows[i].wanted == NULL ? -1 : 0);
		if (result == 0)
			assert_string_equal(name, rows[i].wanted);
	}
	memset(domain, 'd', LIMIT_DOMAIN);
	domain[LIMIT_DOMAIN] = '\0';
	assert_int_equal(destination_name(ROUTE_MX, "", "", domain, name), 0);
	assert_int_equal(strlen(name), LIMIT_DOMAIN + 3);
}

static void
test_destinations_that_a_person_writes(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "mx:example.org", "mx:example.org" },
		{ "mx:Example.ORG", "mx:example.org" },
		{ "mx:[IPv6:2001:DB8::1]", "mx:[ipv6:2001:db8::1]" },
		{ "local:Bob", "local:Bob" },
		{ "relay:Sink two", "relay:Sink two" },
		{ "", NULL },
		{ "mx:", NULL },
		{ "mx:$(touch x)", NULL },
		{ "mx:a b.example", NULL },
		{ "mx:example..org", NULL },
		{ "MX:example.org", NULL },
		{ "local:", NULL },
		{ "local:../b", NULL },
		{ "local:-b", NULL },
		{ "relay:", NULL },
		{ "relay:a\tb", NULL },
		{ "example.org", NULL },
	};
	char name[LIMIT_DESTINATION + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int result = destination_parse(rows[i].text, name);

		assert_int_equal(result, rows[i].wanted == NULL ? -1 : 0);
		if (result == 0)
			assert_string_equal(name, rows[i].wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_message),
		cmocka_unit_test(test_envelopes_that_no_router_sends),
		cmocka_unit_test(test_content_that_is_not_sealed),
		cmocka_unit_test(test_the_null_sender),
		cmocka_unit_test(test_routes_that_no_router_sends),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_names_of_destinations),
		cmocka_unit_test(test_destinations_that_a_person_writes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
