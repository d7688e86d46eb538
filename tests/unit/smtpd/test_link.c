/* The links to router and resolver, whose other ends the test plays, honest
 * and not. */
#include <sys/socket.h>

#include <arpa/inet.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/dns.h"
#include "common/log.h"
#include "common/record.h"
#include "smtpd/link_resolver.h"
#include "smtpd/link_router.h"

/* In the place of smtpd/client.c: what the links told a client. */
struct client {
	unsigned int verdicts, outcomes, lost, names;
	char name[LIMIT_DOMAIN + 1];
	int answer; /* -1: the session would not have it */
	struct router_exchange exchange;
};

static struct event_base *base;

static int
on_verdict(void *owner, const struct message_verdict *v)
{
	struct client *c = owner;

	assert_string_equal(v->reply, "reply");
	c->verdicts++;
	return c->answer;
}

static int
on_outcome(void *owner, const struct message_outcome *o)
{
	struct client *c = owner;

	assert_int_equal(o->code, 250);
	c->outcomes++;
	return c->answer;
}

static void
on_lost(void *owner)
{
	struct client *c = owner;

	c->lost++;
	link_router_close(&c->exchange);
}

static const struct link_router_handler handler = {
	.verdict = on_verdict,
	.outcome = on_outcome,
	.lost = on_lost,
};

static void
on_name(void *owner, const char *name)
{
	struct client *c = owner;

	c->names++;
	snprintf(c->name, sizeof(c->name), "%s", name != NULL ? name : "-");
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* A peer's end of a new link. */
static int
connect_peer(enum program program, uint32_t instance, uint32_t generation)
{
	struct child_peer peer = { program, instance, generation, -1 };
	int ends[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	peer.fd = ends[0];
	if (program == PROGRAM_ROUTER)
		link_router_add(base, &peer);
	else
		link_resolver_add(base, &peer);
	return ends[1];
}

static void
disconnect(int peer)
{
	close(peer);
	turn();
}

/* What the peer hears next: its handle, or 0 if there is nothing. */
static uint32_t
hear(int peer, enum program self, enum message_type type)
{
	uint8_t record[LIMIT_RECORD];
	struct message m;

	if (record_read(peer, record, &m, self, PROGRAM_SMTPD, MSG_DONTWAIT) !=
	    1)
		return 0;
	assert_int_equal(m.type, type);
	if (m.fd != -1)
		close(m.fd);
	return m.handle;
}

static void
say(int peer, struct message *m)
{
	assert_int_equal(record_write(peer, m, 0), 0);
	turn();
}

static void
say_verdict(int peer, uint32_t handle)
{
	struct message m = MESSAGE_INIT(MESSAGE_VERDICT, handle);

	m.verdict.code = 250;
	m.verdict.id = 1;
	m.verdict.reply = "reply";
	say(peer, &m);
}

static void
say_outcome(int peer, uint32_t handle)
{
	struct message m = MESSAGE_INIT(MESSAGE_OUTCOME, handle);

	m.outcome.code = 250;
	m.outcome.reply = "";
	say(peer, &m);
}

static const struct message_recipient somebody = { .address = "a@b.c" };

static int
open_for(struct client *c, unsigned int slot)
{
	const struct message_open open = { .client_address = "192.0.2.1",
		.sender = "" };

	c->exchange.handler = &handler;
	c->exchange.owner = c;
	return link_router_open(&c->exchange, slot, &open);
}

/* Is the link closed from our side? Throws away what is not read yet. */
static bool
is_cut_off(int peer)
{
	char record[LIMIT_RECORD];
	ssize_t n;

	turn();
	do
		n = recv(peer, record, sizeof(record), MSG_DONTWAIT);
	while (n > 0);
	return n == 0;
}

/* -- Router ----------------------------------------------------------------- */

static void
test_exchange(void **unused)
{
	int router = connect_peer(PROGRAM_ROUTER, 1, 1);
	struct client c = { 0 };
	uint32_t handle;

	(void)unused;
	assert_int_equal(open_for(&c, 5), 0);
	handle = hear(router, PROGRAM_ROUTER, MESSAGE_OPEN);
	assert_int_not_equal(handle, 0);
	assert_int_equal(link_router_recipient(&c.exchange, &somebody), 0);
	assert_int_equal(
	    hear(router, PROGRAM_ROUTER, MESSAGE_RECIPIENT), handle);
	say_verdict(router, handle);
	assert_int_equal(c.verdicts, 1);
	say_outcome(router, handle);
	assert_int_equal(c.outcomes, 1);
	assert_int_equal(link_router_abandon(&c.exchange, 2), 0);
	assert_int_equal(hear(router, PROGRAM_ROUTER, MESSAGE_ABANDON), handle);
	link_router_close(&c.exchange);
	/* Answers that crossed the end are dropped, whoever has the slot. */
	say_verdict(router, handle);
	assert_int_equal(open_for(&c, 5), 0);
	assert_int_not_equal(
	    hear(router, PROGRAM_ROUTER, MESSAGE_OPEN), handle);
	say_verdict(router, handle);
	say_outcome(router, handle);
	assert_int_equal(c.verdicts, 1);
	assert_int_equal(c.outcomes, 1);
	assert_false(is_cut_off(router));
	disconnect(router);
	assert_int_equal(c.lost, 1);
	assert_int_equal(open_for(&c, 5), -1);
}

static void
test_newest(void **unused)
{
	int old = connect_peer(PROGRAM_ROUTER, 1, 1);
	int newest = connect_peer(PROGRAM_ROUTER, 7, 2);
	int middle = connect_peer(PROGRAM_ROUTER, 8, 1);
	struct client c[4] = { 0 };

	(void)unused;
	assert_int_equal(open_for(&c[0], 0), 0);
	assert_int_not_equal(hear(newest, PROGRAM_ROUTER, MESSAGE_OPEN), 0);
	disconnect(newest);
	assert_int_equal(c[0].lost, 1);
	assert_int_equal(open_for(&c[1], 1), 0);
	assert_int_not_equal(hear(middle, PROGRAM_ROUTER, MESSAGE_OPEN), 0);
	/* What is open stays where it is. */
	newest = connect_peer(PROGRAM_ROUTER, 9, 2);
	assert_int_equal(link_router_recipient(&c[1].exchange, &somebody), 0);
	assert_int_not_equal(
	    hear(middle, PROGRAM_ROUTER, MESSAGE_RECIPIENT), 0);
	disconnect(middle);
	disconnect(newest);
	assert_int_equal(c[1].lost, 1);
	assert_int_equal(open_for(&c[2], 2), 0);
	assert_int_not_equal(hear(old, PROGRAM_ROUTER, MESSAGE_OPEN), 0);
	disconnect(old);
	assert_int_equal(c[2].lost, 1);
}

/* Lies cost the router its link, and the clients only their transaction. */
static void
check_lie(void (*lie)(int router, struct client *))
{
	int router = connect_peer(PROGRAM_ROUTER, 1, 1);
	int other = connect_peer(PROGRAM_ROUTER, 2, 1);
	struct client c[2] = { 0 };

	/* The newer one serves one, and goes; the older serves the next. */
	assert_int_equal(open_for(&c[0], 3), 0);
	lie(other, &c[0]);
	assert_true(is_cut_off(other));
	assert_int_equal(c[0].lost, 1);
	assert_int_equal(open_for(&c[1], 3), 0);
	assert_int_not_equal(hear(router, PROGRAM_ROUTER, MESSAGE_OPEN), 0);
	assert_false(is_cut_off(router));
	close(other);
	disconnect(router);
}

static void
lie_never_opened(int router, struct client *c)
{
	(void)c;
	say_verdict(router, 4);
}

static void
lie_no_handle(int router, struct client *c)
{
	(void)c;
	say_outcome(router, 0);
}

static void
lie_great_handle(int router, struct client *c)
{
	(void)c;
	say_verdict(router, UINT32_MAX);
}

static void
lie_unwanted(int router, struct client *c)
{
	c->answer = -1;
	say_verdict(router, hear(router, PROGRAM_ROUTER, MESSAGE_OPEN));
	assert_int_equal(c->verdicts, 1);
}

static void
lie_not_its_message(int router, struct client *c)
{
	struct message m = MESSAGE_INIT(
	    MESSAGE_STORED, hear(router, PROGRAM_ROUTER, MESSAGE_OPEN));

	(void)c;
	m.stored.reply = "";
	say(router, &m);
}

static void
lie_garbage(int router, struct client *c)
{
	(void)c;
	assert_int_equal(send(router, "garbage", 7, 0), 7);
	turn();
}

static void
lie_empty(int router, struct client *c)
{
	(void)c;
	assert_int_equal(send(router, "", 0, 0), 0);
	turn();
}

static void
test_lies(void **unused)
{
	(void)unused;
	check_lie(lie_never_opened);
	check_lie(lie_no_handle);
	check_lie(lie_great_handle);
	check_lie(lie_unwanted);
	check_lie(lie_not_its_message);
	check_lie(lie_garbage);
	check_lie(lie_empty);
}

/* A router that does not read is given nothing new after a while, and what
 * waits for it is bounded. */
static void
test_no_reader(void **unused)
{
	int router = connect_peer(PROGRAM_ROUTER, 1, 1);
	struct client c = { 0 };
	unsigned int opened = 0;

	(void)unused;
	while (opened < 100000 && open_for(&c, 0) == 0) {
		link_router_close(&c.exchange);
		opened++;
	}
	assert_in_range(opened, LIMIT_CHANNEL_QUEUE / 2, LIMIT_CHANNEL_QUEUE);
	/* It wakes up: all goes on. */
	for (unsigned int i = 0; i < opened; i++) {
		if (hear(router, PROGRAM_ROUTER, MESSAGE_OPEN) == 0) {
			turn();
			i--;
		}
	}
	assert_int_equal(open_for(&c, 0), 0);
	disconnect(router);
	assert_int_equal(c.lost, 1);
}

/* Generations count on and never give 0 or the number just used. */
static void
test_generations(void **unused)
{
	int router = connect_peer(PROGRAM_ROUTER, 1, 1);
	struct client c = { 0 };
	uint32_t last = 0;

	(void)unused;
	for (int i = 0; i < 5000; i++) {
		uint32_t handle;

		assert_int_equal(open_for(&c, 1023), 0);
		handle = hear(router, PROGRAM_ROUTER, MESSAGE_OPEN);
		assert_int_not_equal(handle, 0);
		assert_int_not_equal(handle, last);
		last = handle;
		link_router_close(&c.exchange);
	}
	disconnect(router);
}

/* -- Resolver ---------------------------------------------------------------- */

static void
answer(int resolver, uint32_t handle, enum dns_kind kind,
    enum dns_outcome outcome, const struct dns_record *record)
{
	struct message m = MESSAGE_INIT(MESSAGE_ANSWER, handle);
	uint8_t octets[512];
	struct wire_writer w = { .data = octets, .size = sizeof(octets) };

	if (record != NULL)
		assert_true(dns_record_put(&w, kind, record));
	m.answer.kind = (uint8_t)kind;
	m.answer.outcome = (uint8_t)outcome;
	m.answer.records = (struct bytes){ octets, w.length };
	m.answer.reason = "";
	say(resolver, &m);
}

static const struct dns_record pointer = { .name = "mail.example" };
static const struct dns_record right = { .address = { 192, 0, 2, 1 } };
static const struct dns_record wrong = { .address = { 192, 0, 2, 2 } };

static uint32_t
hear_question(int resolver)
{
	return hear(resolver, PROGRAM_RESOLVER, MESSAGE_QUESTION);
}

static void
test_name(void **unused)
{
	int resolver = connect_peer(PROGRAM_RESOLVER, 1, 1);
	struct client c = { 0 };

	(void)unused;
	assert_non_null(link_resolver_look_up(on_name, &c, 0, "192.0.2.1"));
	answer(resolver, hear_question(resolver), DNS_PTR, DNS_FOUND, &pointer);
	assert_int_equal(c.names, 0);
	answer(resolver, hear_question(resolver), DNS_A, DNS_FOUND, &right);
	assert_int_equal(c.names, 1);
	assert_string_equal(c.name, "mail.example");

	/* The name does not have the address. */
	assert_non_null(link_resolver_look_up(on_name, &c, 0, "192.0.2.1"));
	answer(resolver, hear_question(resolver), DNS_PTR, DNS_FOUND, &pointer);
	answer(resolver, hear_question(resolver), DNS_A, DNS_FOUND, &wrong);
	assert_string_equal(c.name, "-");

	/* There is none. */
	for (unsigned int outcome = 0; outcome < DNS_OUTCOMES; outcome++) {
		c.names = 0;
		assert_non_null(
		    link_resolver_look_up(on_name, &c, 0, "2001:db8::1"));
		answer(resolver, hear_question(resolver), DNS_PTR,
		    (enum dns_outcome)outcome, NULL);
		assert_int_equal(c.names, 1);
		assert_string_equal(c.name, "-");
	}
	disconnect(resolver);
	assert_null(link_resolver_look_up(on_name, &c, 0, "192.0.2.1"));
}

static void
test_name_lost(void **unused)
{
	int resolver = connect_peer(PROGRAM_RESOLVER, 1, 1);
	struct client c = { 0 };
	struct lookup *l;

	(void)unused;
	assert_non_null(link_resolver_look_up(on_name, &c, 0, "192.0.2.1"));
	disconnect(resolver);
	assert_int_equal(c.names, 1);
	assert_string_equal(c.name, "-");

	/* Nobody wants to know any more. */
	resolver = connect_peer(PROGRAM_RESOLVER, 2, 1);
	l = link_resolver_look_up(on_name, &c, 0, "192.0.2.1");
	assert_non_null(l);
	link_resolver_cancel(&l);
	assert_null(l);
	answer(resolver, hear_question(resolver), DNS_PTR, DNS_FOUND, &pointer);
	assert_int_equal(c.names, 1);
	assert_false(is_cut_off(resolver));
	disconnect(resolver);
}

static void
test_name_lies(void **unused)
{
	struct client c = { 0 };
	struct message m = MESSAGE_INIT(MESSAGE_ANSWER, 0);
	int resolver;

	(void)unused;
	/* An answer to another question. */
	resolver = connect_peer(PROGRAM_RESOLVER, 1, 1);
	assert_non_null(link_resolver_look_up(on_name, &c, 0, "192.0.2.1"));
	answer(resolver, hear_question(resolver), DNS_A, DNS_FOUND, &right);
	assert_true(is_cut_off(resolver));
	assert_int_equal(c.names, 1);
	close(resolver);

	/* Records that are none. */
	resolver = connect_peer(PROGRAM_RESOLVER, 2, 1);
	assert_non_null(link_resolver_look_up(on_name, &c, 0, "192.0.2.1"));
	m.handle = hear_question(resolver);
	m.answer.kind = DNS_PTR;
	m.answer.records = (struct bytes){ (const uint8_t *)"\xff\xff\xff", 3 };
	m.answer.reason = "";
	say(resolver, &m);
	assert_true(is_cut_off(resolver));
	assert_int_equal(c.names, 2);
	assert_string_equal(c.name, "-");
	close(resolver);
}

static int
begin(void **unused)
{
	(void)unused;
	base = event_base_new();
	return base == NULL ? -1 : 0;
}

static int
end(void **unused)
{
	(void)unused;
	event_base_free(base);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_newest),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_no_reader),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_name_lost),
		cmocka_unit_test(test_name_lies),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
