/*
 * Both links of the router over real sockets, with a false smtpd and a false
 * queue at the other ends.
 */
#include "tests/unit/router/test.h"

#include <sys/socket.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include <event2/event.h>

#include "common/content.h"
#include "common/log.h"
#include "common/record.h"
#include "router/link_queue.h"
#include "router/link_smtpd.h"

#include "tests/unit/router/house.h"

static struct house house;
static struct event_base *base;
static struct link_queue *queue;
static struct link_smtpd *smtpd;
static uint32_t instances;

/* The supervisor is told whose link ended. */
static uint32_t lost;

void
child_peer_lost(enum program program, uint32_t instance)
{
	assert_int_equal(program, PROGRAM_SMTPD);
	lost = instance;
}

/* -- The far ends ---------------------------------------------------------- */

static int
link_to(enum program program, uint32_t instance)
{
	int ends[2];
	struct child_peer peer = { .program = program, .instance = instance };

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	peer.fd = ends[0];
	if (program == PROGRAM_QUEUE)
		link_queue_add(queue, &peer);
	else
		link_smtpd_add(smtpd, &peer);
	return ends[1];
}

static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Sends, and lets the router work. Takes the descriptor. */
static void
give(int fd, struct message *m)
{
	assert_int_equal(record_write(fd, m, 0), 0);
	if (m->fd != -1)
		close(message_take_fd(m));
	turn();
}

/* What the router has sent; the type 0 if nothing, -1 if it hung up. */
static int
get(int fd, enum program self, struct message *m)
{
	static uint8_t record[LIMIT_RECORD];
	int got;

	turn();
	got = record_read(fd, record, m, self, PROGRAM_ROUTER, MSG_DONTWAIT);
	if (got == -1 && errno == EAGAIN)
		return 0;
	if (got == 0 || (got == -1 && errno == ECONNRESET))
		return -1;
	assert_int_equal(got, 1);
	return (int)m->type;
}

static void
give_open(int fd, uint32_t handle)
{
	struct message m = MESSAGE_INIT(MESSAGE_OPEN, handle);

	m.open.client_address = "198.51.100.9";
	m.open.helo = "client.example";
	m.open.sender = "s@far.example";
	give(fd, &m);
}

static void
give_recipient(int fd, uint32_t handle, uint32_t number, const char *address)
{
	struct message m = MESSAGE_INIT(MESSAGE_RECIPIENT, handle);

	m.recipient.number = number;
	m.recipient.address = address;
	give(fd, &m);
}

static uint64_t
expect_verdict(int fd, uint32_t handle, uint32_t number, unsigned int code)
{
	struct message m;

	assert_int_equal(get(fd, PROGRAM_SMTPD, &m), MESSAGE_VERDICT);
	assert_int_equal(m.handle, handle);
	assert_int_equal(m.verdict.number, number);
	assert_int_equal(m.verdict.code, code);
	return m.verdict.id;
}

static void
give_content(int fd, uint32_t handle)
{
	struct message m = MESSAGE_INIT(MESSAGE_CONTENT, handle);

	m.fd = content_create();
	assert_int_equal(content_write(m.fd, "hello", 5), 0);
	assert_int_equal(content_seal(m.fd), 0);
	m.content.size = 5;
	m.content.hops = 1;
	give(fd, &m);
}

static void
give_abandon(int fd, uint32_t handle)
{
	struct message m = MESSAGE_INIT(MESSAGE_ABANDON, handle);

	give(fd, &m);
}

/* OPEN, one good RECIPIENT and CONTENT; the id. */
static uint64_t
give_message(int fd, uint32_t handle)
{
	uint64_t id;

	give_open(fd, handle);
	give_recipient(fd, handle, 0, "bob@here.example");
	id = expect_verdict(fd, handle, 0, 250);
	give_content(fd, handle);
	return id;
}

static void
expect_outcome(int fd, uint32_t handle, unsigned int code)
{
	struct message m;

	assert_int_equal(get(fd, PROGRAM_SMTPD, &m), MESSAGE_OUTCOME);
	assert_int_equal(m.handle, handle);
	assert_int_equal(m.outcome.code, code);
}

/* An ENVELOPE and its ROUTEs; the handle. */
static uint32_t
expect_envelope(int fd, uint64_t id, uint32_t recipients)
{
	struct message m;
	uint32_t handle;

	assert_int_equal(get(fd, PROGRAM_QUEUE, &m), MESSAGE_ENVELOPE);
	assert_int_equal(content_check(m.fd, m.envelope.size), 0);
	close(m.fd);
	handle = m.handle;
	if (id != 0)
		assert_int_equal(m.envelope.id, id);
	assert_int_equal(m.envelope.recipients, recipients);
	for (uint32_t i = 0; i < recipients; i++) {
		assert_int_equal(get(fd, PROGRAM_QUEUE, &m), MESSAGE_ROUTE);
		assert_int_equal(m.handle, handle);
		assert_int_equal(m.route.number, i);
	}
	return handle;
}

static void
give_stored(int fd, uint32_t handle, uint64_t id, unsigned int code)
{
	struct message m = MESSAGE_INIT(MESSAGE_STORED, handle);

	m.stored.id = id;
	m.stored.code = (uint16_t)code;
	m.stored.reply = code == 250 ? "2.0.0 fine" : "4.3.1 full";
	give(fd, &m);
}

static void
expect_nothing(int fd, enum program self)
{
	struct message m;

	assert_int_equal(get(fd, self, &m), 0);
}

static void
expect_closed(int fd, enum program self)
{
	struct message m;

	assert_int_equal(get(fd, self, &m), -1);
	close(fd);
}

static unsigned int
count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

/* -- The tests ------------------------------------------------------------- */

static unsigned int fds_before;

static int
set_up(void **state)
{
	(void)state;
	fds_before = count_fds();
	base = event_base_new();
	queue = link_queue_new(base, &house.expander, link_smtpd_outcome);
	smtpd = link_smtpd_new(base, &house.expander, queue);
	return base == NULL || queue == NULL || smtpd == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	link_smtpd_free(&smtpd);
	link_queue_free(&queue);
	event_base_free(base);
	assert_int_equal(count_fds(), fds_before);
	return 0;
}

static void
a_message_passes(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	struct message m;
	uint64_t id;
	uint32_t handle;

	(void)state;
	give_open(s, 5);
	expect_nothing(s, PROGRAM_SMTPD);
	give_recipient(s, 5, 0, "bob@here.example");
	id = expect_verdict(s, 5, 0, 250);
	give_recipient(s, 5, 1, "eve@here.example");
	assert_int_equal(expect_verdict(s, 5, 1, 550), id);
	give_recipient(s, 5, 2, "all@here.example");
	expect_verdict(s, 5, 2, 250);
	expect_nothing(q, PROGRAM_QUEUE);
	give_content(s, 5);
	handle = expect_envelope(q, id, 3); /* bob, alice and carol */
	expect_nothing(s, PROGRAM_SMTPD);
	assert_int_equal(link_queue_outstanding(queue), 1);
	give_stored(q, handle, id, 250);
	assert_int_equal(get(s, PROGRAM_SMTPD, &m), MESSAGE_OUTCOME);
	assert_int_equal(m.outcome.code, 250);
	assert_memory_equal(m.outcome.reply, "2.0.0 Ok: queued as ", 20);
	assert_int_equal(link_queue_outstanding(queue), 0);
	/* The handle is free again. */
	id = give_message(s, 5);
	handle = expect_envelope(q, id, 1);
	give_stored(q, handle, id, 452);
	expect_outcome(s, 5, 452);
	close(q);
	close(s);
	turn();
	assert_int_equal(link_smtpd_count(smtpd), 0);
	assert_int_equal(lost, instances);
	assert_false(link_queue_is_up(queue));
}

static void
handles_are_per_link(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int a = link_to(PROGRAM_SMTPD, ++instances);
	int b = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t id_a, id_b;
	uint32_t handle_a, handle_b;

	(void)state;
	id_a = give_message(a, 1);
	id_b = give_message(b, 1);
	assert_true(id_a != id_b);
	handle_a = expect_envelope(q, id_a, 1);
	handle_b = expect_envelope(q, id_b, 1);
	give_stored(q, handle_b, id_b, 250);
	expect_nothing(a, PROGRAM_SMTPD);
	expect_outcome(b, 1, 250);
	give_stored(q, handle_a, id_a, 452);
	expect_outcome(a, 1, 452);
	close(a);
	close(b);
	close(q);
	turn();
}

static void
without_a_queue(void **state)
{
	int s = link_to(PROGRAM_SMTPD, ++instances);
	int q;

	(void)state;
	give_open(s, 1);
	give_recipient(s, 1, 0, "bob@here.example");
	expect_verdict(s, 1, 0, 451);
	/* It comes, and goes before the content. */
	q = link_to(PROGRAM_QUEUE, ++instances);
	give_recipient(s, 1, 1, "bob@here.example");
	expect_verdict(s, 1, 1, 250);
	close(q);
	turn();
	give_content(s, 1);
	expect_outcome(s, 1, 451);
	assert_int_equal(link_queue_outstanding(queue), 0);
	close(s);
	turn();
}

static void
a_queue_that_dies(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t id;

	(void)state;
	id = give_message(s, 1);
	expect_envelope(q, id, 1);
	give_message(s, 2);
	close(q);
	turn();
	expect_outcome(s, 1, 451);
	expect_outcome(s, 2, 451);
	assert_int_equal(link_queue_outstanding(queue), 0);
	/* And the next is used. */
	q = link_to(PROGRAM_QUEUE, ++instances);
	id = give_message(s, 1);
	give_stored(q, expect_envelope(q, id, 1), id, 250);
	expect_outcome(s, 1, 250);
	close(q);
	close(s);
	turn();
}

static void
the_newest_queue(void **state)
{
	int old = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t first = give_message(s, 1), second;
	uint32_t handle = expect_envelope(old, first, 1);
	int new = link_to(PROGRAM_QUEUE, instances + 2);
	int middle = link_to(PROGRAM_QUEUE, instances + 1);

	(void)state;
	instances += 2;
	second = give_message(s, 2);
	expect_nothing(old, PROGRAM_QUEUE);
	expect_nothing(middle, PROGRAM_QUEUE);
	give_stored(new, expect_envelope(new, second, 1), second, 250);
	expect_outcome(s, 2, 250);
	/* The old one still answers for what it has. */
	give_stored(old, handle, first, 250);
	expect_outcome(s, 1, 250);
	close(old);
	close(middle);
	turn();
	second = give_message(s, 3);
	give_stored(new, expect_envelope(new, second, 1), second, 250);
	expect_outcome(s, 3, 250);
	close(new);
	close(s);
	turn();
}

static void
an_smtpd_that_dies(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	int other = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t id = give_message(s, 1);
	uint32_t handle = expect_envelope(q, id, 1);

	(void)state;
	give_open(s, 2);
	give_recipient(s, 2, 0, "bob@here.example");
	expect_verdict(s, 2, 0, 250);
	close(s);
	turn();
	assert_int_equal(link_smtpd_count(smtpd), 1);
	assert_int_equal(link_queue_outstanding(queue), 1);
	give_stored(q, handle, id, 250);
	assert_int_equal(link_queue_outstanding(queue), 0);
	expect_nothing(other, PROGRAM_SMTPD);
	close(q);
	close(other);
	turn();
}

static void
what_is_abandoned(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t first, second;
	uint32_t handle;

	(void)state;
	/* Before the content: as if it had never been. */
	give_open(s, 1);
	give_recipient(s, 1, 0, "bob@here.example");
	expect_verdict(s, 1, 0, 250);
	give_abandon(s, 1);
	/* After it: the message goes on, nobody hears of it. */
	first = give_message(s, 1);
	handle = expect_envelope(q, first, 1);
	give_abandon(s, 1);
	second = give_message(s, 1);
	give_stored(q, handle, first, 250);
	expect_nothing(s, PROGRAM_SMTPD);
	give_stored(q, expect_envelope(q, second, 1), second, 250);
	expect_outcome(s, 1, 250);
	/* When our OUTCOME has crossed it. */
	give_abandon(s, 1);
	give_abandon(s, 99);
	give_open(s, 1);
	give_recipient(s, 1, 0, "bob@here.example");
	expect_verdict(s, 1, 0, 250);
	close(q);
	close(s);
	turn();
}

/* Each of these closes the link that it comes from, and no other. */
static void
a_false_smtpd(void **state)
{
	enum { CASES = 9 };
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int good = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t id;

	(void)state;
	for (int i = 0; i < CASES; i++) {
		int s = link_to(PROGRAM_SMTPD, ++instances);
		struct message m = MESSAGE_INIT(MESSAGE_CONTENT, 1);

		switch (i) {
		case 0: /* no such handle */
			give_recipient(s, 1, 0, "bob@here.example");
			break;
		case 1:
			give_content(s, 1);
			break;
		case 2: /* open twice */
			give_open(s, 1);
			give_open(s, 1);
			break;
		case 3: /* not an address */
			give_open(s, 1);
			give_recipient(s, 1, 0, "bob");
			break;
		case 4: /* out of state */
			id = give_message(s, 1);
			give_recipient(s, 1, 0, "bob@here.example");
			expect_envelope(q, id, 1);
			break;
		case 5:
			id = give_message(s, 1);
			give_content(s, 1);
			expect_envelope(q, id, 1);
			break;
		case 6: /* not sealed */
			give_open(s, 1);
			m.fd = content_create();
			give(s, &m);
			break;
		case 7: /* not even a memfd */
			give_open(s, 1);
			m.fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
			give(s, &m);
			break;
		default: /* nothing at all */
			assert_int_equal(send(s, "", 0, 0), 0);
			break;
		}
		expect_closed(s, PROGRAM_SMTPD);
	}
	id = give_message(good, 1);
	give_stored(q, expect_envelope(q, id, 1), id, 250);
	expect_outcome(good, 1, 250);
	close(good);
	close(q);
	turn();
}

static void
a_false_queue(void **state)
{
	int s = link_to(PROGRAM_SMTPD, ++instances);

	(void)state;
	for (int i = 0; i < 3; i++) {
		int q = link_to(PROGRAM_QUEUE, ++instances);
		uint64_t id = give_message(s, 1);
		uint32_t handle = expect_envelope(q, id, 1);

		if (i == 0) /* another message's id */
			give_stored(q, handle, id + 1, 250);
		else if (i == 1) /* not a reply */
			give_stored(q, handle, id, 354);
		else
			give_stored(q, handle, id, 0);
		expect_outcome(s, 1, 451);
		expect_closed(q, PROGRAM_QUEUE);
	}
	close(s);
	turn();
}

/* Late, twice, or never asked for: dropped. */
static void
a_queue_that_repeats_itself(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t id = give_message(s, 1), next;
	uint32_t handle = expect_envelope(q, id, 1), second;

	(void)state;
	give_stored(q, handle, id, 250);
	expect_outcome(s, 1, 250);
	give_stored(q, handle, id, 250);
	give_stored(q, 0, id, 250);
	give_stored(q, UINT32_MAX, id, 250);
	expect_nothing(s, PROGRAM_SMTPD);
	/* The same place again, under another handle. */
	next = give_message(s, 1);
	second = expect_envelope(q, next, 1);
	assert_int_not_equal(second, handle);
	assert_int_equal(second % LIMIT_STORING, handle % LIMIT_STORING);
	give_stored(q, handle, next, 250);
	expect_nothing(s, PROGRAM_SMTPD);
	give_stored(q, second, next, 250);
	expect_outcome(s, 1, 250);
	close(q);
	close(s);
	turn();
}

static void
has_a_bound_on_transactions(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);

	(void)state;
	/* Handles that collide in the table are still all different. */
	for (uint32_t i = 0; i < LIMIT_SESSIONS; i++)
		give_open(s, i * LIMIT_SESSIONS);
	give_recipient(s, 7 * LIMIT_SESSIONS, 0, "bob@here.example");
	expect_verdict(s, 7 * LIMIT_SESSIONS, 0, 250);
	give_abandon(s, 8 * LIMIT_SESSIONS);
	give_open(s, 1);
	expect_nothing(s, PROGRAM_SMTPD);
	give_open(s, 2);
	expect_closed(s, PROGRAM_SMTPD);
	close(q);
	turn();
}

/* A queue that reads nothing: what does not fit waits, in order, and all of
 * it arrives once it reads. */
static void
a_queue_that_is_slow(void **state)
{
	enum { LINKS = 6, EACH = 900, ALL = LINKS * EACH };
	int q = link_to(PROGRAM_QUEUE, ++instances), s[LINKS];
	static uint64_t ids[ALL];

	(void)state;
	for (int i = 0; i < LINKS; i++)
		s[i] = link_to(PROGRAM_SMTPD, ++instances);
	for (int i = 0; i < ALL; i++) {
		uint32_t handle = (uint32_t)(i / LINKS);
		int fd = s[i % LINKS];

		give_open(fd, handle);
		give_recipient(fd, handle, 0, "all@here.example");
		ids[i] = expect_verdict(fd, handle, 0, 250);
		give_content(fd, handle);
	}
	assert_int_equal(link_queue_outstanding(queue), ALL);
	/* One that waits is abandoned, and never sent. */
	give_abandon(s[(ALL - 1) % LINKS], (ALL - 1) / LINKS);
	assert_int_equal(link_queue_outstanding(queue), ALL - 1);
	for (int i = 0; i < ALL - 1; i++) {
		uint32_t handle = expect_envelope(q, ids[i], 3);

		give_stored(q, handle, ids[i], 250);
		expect_outcome(s[i % LINKS], (uint32_t)(i / LINKS), 250);
	}
	expect_nothing(q, PROGRAM_QUEUE);
	assert_int_equal(link_queue_outstanding(queue), 0);
	for (int i = 0; i < LINKS; i++)
		close(s[i]);
	close(q);
	turn();
}

/* Contents that have left us count until the queue is done with them, whether
 * or not their clients wait. */
static void
large_contents_wait(void **state)
{
	enum { SIZE = 1 << 20, FIT = LIMIT_STORING_OCTETS / SIZE };
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	static uint64_t ids[FIT + 2];
	static uint32_t handles[FIT + 2];

	(void)state;
	for (uint32_t i = 0; i < FIT + 2; i++) {
		struct message m = MESSAGE_INIT(MESSAGE_CONTENT, i);

		give_open(s, i);
		give_recipient(s, i, 0, "bob@here.example");
		ids[i] = expect_verdict(s, i, 0, 250);
		m.fd = content_create();
		assert_int_equal(ftruncate(m.fd, SIZE), 0);
		assert_int_equal(content_seal(m.fd), 0);
		m.content.size = SIZE;
		give(s, &m);
	}
	for (uint32_t i = 0; i < FIT; i++)
		handles[i] = expect_envelope(q, ids[i], 1);
	expect_nothing(q, PROGRAM_QUEUE);
	give_abandon(s, 0);
	expect_nothing(q, PROGRAM_QUEUE);
	for (uint32_t i = 0; i < FIT + 2; i++) {
		give_stored(q, handles[i], ids[i], 250);
		if (i > 0)
			expect_outcome(s, i, 250);
		if (FIT + i < FIT + 2)
			handles[FIT + i] = expect_envelope(q, ids[FIT + i], 1);
	}
	assert_int_equal(link_queue_outstanding(queue), 0);
	close(q);
	close(s);
	turn();
}

static void
a_message_of_the_greatest_size(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t small, big;

	(void)state;
	small = give_message(s, 1);
	give_open(s, 2);
	give_recipient(s, 2, 0, "many@here.example");
	big = expect_verdict(s, 2, 0, 250);
	give_content(s, 2);
	/* It waits until it has the link for itself. */
	give_stored(q, expect_envelope(q, small, 1), small, 250);
	expect_outcome(s, 1, 250);
	give_stored(q, expect_envelope(q, big, LIMIT_EXPANSION), big, 250);
	expect_outcome(s, 2, 250);
	close(q);
	close(s);
	turn();
}

/* The client is answered in time; what the queue says later is not lost. */
static void
a_queue_that_hangs(void **state)
{
	int q = link_to(PROGRAM_QUEUE, ++instances);
	int s = link_to(PROGRAM_SMTPD, ++instances);
	uint64_t id = give_message(s, 1), big;
	uint32_t handle = expect_envelope(q, id, 1);
	struct monotime now = monotime_now();

	(void)state;
	/* One that waits, since it needs the link for itself. */
	give_open(s, 2);
	give_recipient(s, 2, 0, "many@here.example");
	big = expect_verdict(s, 2, 0, 250);
	assert_int_not_equal(big, id);
	give_content(s, 2);
	link_queue_check_time(
	    queue, monotime_add_ms(now, 1000 * LIMIT_STORING_SECONDS - 5000));
	expect_nothing(s, PROGRAM_SMTPD);
	link_queue_check_time(
	    queue, monotime_add_ms(now, 1000 * LIMIT_STORING_SECONDS + 5000));
	expect_outcome(s, 1, 451);
	expect_outcome(s, 2, 451);
	assert_int_equal(link_queue_outstanding(queue), 1);
	give_stored(q, handle, id, 250);
	assert_int_equal(link_queue_outstanding(queue), 0);
	expect_nothing(s, PROGRAM_SMTPD);
	expect_nothing(q, PROGRAM_QUEUE);
	close(q);
	close(s);
	turn();
}

static void
write_aliases(FILE *out)
{
	fprintf(out, "all: bob, alice, carol\nmany: u0@far.example");
	for (int i = 1; i < LIMIT_EXPANSION; i++)
		fprintf(out, ",\n u%d@far.example", i);
	fprintf(out, "\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_message_passes),
		TEST(handles_are_per_link),
		TEST(without_a_queue),
		TEST(a_queue_that_dies),
		TEST(the_newest_queue),
		TEST(an_smtpd_that_dies),
		TEST(what_is_abandoned),
		TEST(a_false_smtpd),
		TEST(a_false_queue),
		TEST(a_queue_that_repeats_itself),
		TEST(has_a_bound_on_transactions),
		TEST(a_queue_that_is_slow),
		TEST(large_contents_wait),
		TEST(a_message_of_the_greatest_size),
		TEST(a_queue_that_hangs),
	};
	char *aliases = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&aliases, &size);
	int failed;

	if (out == NULL)
		return 1;
	write_aliases(out);
	fclose(out);
	/* A line for each of the messages would hide what matters. */
	log_open(
	    open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_FORM_STDERR, false);
	house_open(&house, aliases);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	house_close(&house);
	free(aliases);
	return failed;
}
