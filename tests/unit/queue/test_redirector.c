/* Redirections, between the real store and a router that the test plays. */
#include "common/content.h"
#include "common/dsn.h"
#include "common/mail.h"
#include "queue/clock.h"
#include "queue/commit.h"
#include "queue/errand.h"
#include "queue/hops.h"
#include "queue/query.h"
#include "queue/redirection.h"
#include "queue/redirector.h"
#include "queue/reporter.h"
#include "queue/stats.h"
#include "queue/store_content.h"
#include "tests/unit/queue/played_router.h"

static bool is_told;

/* What who asked last was told. */
static unsigned int answers, answer_code;
static uint64_t answer_made;

bool
reporter_is_telling(uint64_t id)
{
	(void)id;
	return is_told;
}

int
query_content(uint64_t id)
{
	struct lifecycle *l = &rig_house.lifecycle;
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_key key = row_key_id(id);
	struct row_message row;
	struct bytes value;
	int fd = -1;

	assert_int_equal(store_read_begin(l->store), 0);
	if (store_get(l->store, STORE_MESSAGE, &key, &value) == 0) {
		memcpy(octets, value.data, value.length);
		assert_int_equal(
		    row_message_decode(&row, octets, value.length), 0);
		fd = store_content_load(l->store, id, &row);
	}
	store_read_end(l->store);
	return fd;
}

static void
start(void)
{
	played_begin();
	assert_int_equal(redirector_start(base, &rig_house.lifecycle), 0);
}

static void
stop(void)
{
	redirector_router_lost(&router);
	played_end();
}

static int
set_up(void **state)
{
	played_reset();
	is_told = false;
	answers = 0;
	if (rig_set_up(state) != 0)
		return -1;
	start();
	return 0;
}

static int
tear_down(void **state)
{
	stop();
	return rig_tear_down(state);
}

static void
crash(void)
{
	scheduler_stop();
	stop();
	house_crash(&rig_house);
	rig_start();
	start();
}

static void
on_done(const struct redirector_answer *answer, void *context)
{
	assert_ptr_equal(context, &answers);
	answers++;
	answer_code = answer->code;
	answer_made = answer->made;
}

static int
ask(uint64_t id, unsigned int count)
{
	static const uint32_t numbers[] = { 0, 1, 2 };

	return redirector_ask(
	    id, numbers, count, "new@example.org", 0, on_done, &answers);
}

static void
on_answer(struct submission *s, unsigned int code, const char *reply)
{
	redirector_stored(&router, s->inject, s->id, code, reply);
}

/* A message of two recipients that were tried and wait. */
static uint64_t
waiting(void)
{
	uint64_t id = rig_submit(
	    (const char *const[]){ "a@example.com", "b@example.com", NULL });

	rig_run();
	while (rig_open(NULL) > 0)
		for (unsigned int i = 0; i < rig_given_count; i++)
			if (rig_given[i].open)
				rig_report(&rig_given[i], REPORT_DEFERRED,
				    REPORT_SCOPE_RECIPIENT);
	rig_run();
	return id;
}

/* The router sends it back, with lies about all but the recipient; in the
 * batch only. As link_router.c does it. */
static uint64_t
come_back(void)
{
	struct submission *s = played_send_back("liar@example.net", "liar");
	uint64_t id = s->id;

	s->redirection = redirector_take(&router, s->inject, s->fd, s->size);
	assert_non_null(s->redirection);
	s->answer = on_answer;
	assert_int_equal(redirection_adopt(s->redirection, s), 0);
	commit_submission(s);
	return id;
}

static bool
is_there(uint64_t id, uint32_t number)
{
	struct row_recipient row;

	return house_recipient(&rig_house, id, number, &row);
}

/* Its texts are good until the next call. */
static void
load_message(uint64_t id, struct row_message *row)
{
	static uint8_t octets[ROW_VALUE_SIZE];
	struct row_key key = row_key_id(id);
	struct bytes value = { .length = 0 };

	assert_int_equal(store_read_begin(rig_house.store), 0);
	if (store_get(rig_house.store, STORE_MESSAGE, &key, &value) == 0)
		memcpy(octets, value.data, value.length);
	store_read_end(rig_house.store);
	assert_int_equal(row_message_decode(row, octets, value.length), 0);
}

static void
test_one_takes_the_place_of_two(void **state)
{
	uint64_t id = waiting(), made;
	struct row_recipient row;
	struct row_message message;

	(void)state;
	assert_int_equal(ask(id, 2), 0);
	assert_string_equal(given.to, "new@example.org");
	assert_string_equal(given.sender, "sender@example.net");
	assert_int_not_equal(given.handle & INJECT_REDIRECTED, 0);
	made = come_back();
	assert_true(is_there(id, 0) && !is_there(made, 0));
	commit_run();
	assert_false(is_there(id, 0) || is_there(id, 1));
	assert_int_equal(answers, 1);
	assert_int_equal(answer_code, 250);
	assert_true(answer_made == made);
	assert_true(house_recipient(&rig_house, made, 0, &row));
	assert_string_equal(row.address, "new@example.org");
	assert_string_equal(row.original, "a@example.com");
	assert_int_equal(row.attempts, 0);
	/* All else is what the store said. */
	load_message(made, &message);
	assert_string_equal(message.sender, "sender@example.net");
	assert_string_equal(message.client_address, "192.0.2.1");
	assert_string_equal(message.helo, "client.example.net");
	assert_string_equal(message.user, "");
	assert_string_equal(message.envid, "QQ314159");
	assert_int_equal(message.protocol, SMTP_PROTOCOL_ESMTP);
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
}

static void
test_the_others_stay(void **state)
{
	uint64_t id = waiting();

	(void)state;
	assert_int_equal(ask(id, 1), 0);
	come_back();
	commit_run();
	assert_false(is_there(id, 0));
	assert_true(is_there(id, 1));
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 2);
}

/* Killed before the commit, nothing has changed; after it, all has. */
static void
test_a_crash_neither_loses_nor_doubles(void **state)
{
	uint64_t id = waiting(), made;

	(void)state;
	assert_int_equal(ask(id, 2), 0);
	crash();
	assert_true(is_there(id, 0) && is_there(id, 1));
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
	assert_int_equal(ask(id, 2), 0);
	made = come_back();
	commit_run();
	crash();
	assert_false(is_there(id, 0) || is_there(id, 1));
	assert_true(is_there(made, 0));
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
}

static void
assert_refused(uint64_t id, uint64_t made)
{
	commit_run();
	assert_int_equal(answers, 1);
	assert_int_equal(answer_code, 451);
	assert_true(answer_made == 0);
	assert_false(is_there(made, 0));
	assert_true(is_there(id, 1));
}

/* It could arrive at both. */
static void
test_what_was_handed_out_meanwhile_stays(void **state)
{
	uint64_t id = waiting(), made;

	(void)state;
	assert_int_equal(ask(id, 2), 0);
	assert_true(house_now > 0);
	assert_int_equal(commit_verb(CTL_VERB_RETRY, id, 0, 0, NULL, NULL), 0);
	rig_run();
	assert_true(rig_open(NULL) > 0);
	made = come_back();
	assert_refused(id, made);
	assert_true(is_there(id, 0));
	/* Nor is it asked for at all. */
	errno = 0;
	assert_int_equal(ask(id, 2), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(ask(id, 1), -1);
}

static void
test_what_is_gone_meanwhile_does_not_come_back(void **state)
{
	uint64_t id = waiting(), made;

	(void)state;
	assert_int_equal(ask(id, 2), 0);
	assert_int_equal(commit_verb(CTL_VERB_REMOVE, id, 0, 0, NULL, NULL), 0);
	made = come_back();
	assert_refused(id, made);
	assert_false(is_there(id, 0));
	assert_int_equal(ask(id, 2), -1);
	assert_int_equal(errno, ENOENT);
}

/* Its sender would hear that it failed. */
static void
test_what_is_reported_on_stays(void **state)
{
	uint64_t id = waiting(), made;

	(void)state;
	assert_int_equal(commit_verb(CTL_VERB_BOUNCE, id, 0, 0, NULL, NULL), 0);
	commit_run();
	assert_int_equal(ask(id, 2), 0);
	is_told = true;
	made = come_back();
	assert_refused(id, made);
	assert_true(is_there(id, 0));
	errno = 0;
	assert_int_equal(ask(id, 2), -1);
	assert_int_equal(errno, EBUSY);
	is_told = false;
	assert_int_equal(ask(id, 2), 0);
	made = come_back();
	commit_run();
	assert_true(answer_made == made);
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
}

/* Two administrators: one of them is too late. */
static void
test_only_one_redirection_wins(void **state)
{
	uint64_t id = waiting(), made;
	int first;
	uint32_t handle;

	(void)state;
	assert_int_equal(ask(id, 2), 0);
	first = dup(given.fd);
	handle = given.handle;
	assert_int_equal(ask(id, 2), 0);
	made = come_back();
	close(given.fd);
	given.fd = first;
	given.handle = handle;
	come_back();
	commit_run();
	assert_int_equal(answers, 2);
	assert_int_equal(answer_code, 451);
	assert_true(is_there(made, 0));
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
}

/* Somebody named a recipient twice, or out of order: that is refused, and the
 * neighbours in the batch do not hear of it. */
static void
test_numbers_that_do_not_ascend(void **state)
{
	static const uint32_t odd[][2] = { { 0, 0 }, { 1, 1 }, { 1, 0 } };
	uint64_t id = waiting();

	(void)state;
	for (unsigned int i = 0; i < COUNT(odd); i++) {
		assert_int_equal(redirector_ask(id, odd[i], 2,
				     "new@example.org", 0, on_done, &answers),
		    0);
		come_back();
		rig_submit_one("c@example.com");
		commit_run();
		assert_int_equal(answers, i + 1);
		assert_int_equal(answer_code, 451);
		assert_int_equal(rig_answers_250, i + 2);
		assert_int_equal(stats.commits_failed, 0);
		assert_true(is_there(id, 0) && is_there(id, 1));
	}
}

static void
test_a_router_that_lies(void **state)
{
	uint64_t id = waiting();
	int other = content_create();

	(void)state;
	assert_int_not_equal(other, -1);
	assert_int_equal(ask(id, 2), 0);
	/* As long, and another. */
	assert_int_equal(ftruncate(other, (off_t)given.size), 0);
	assert_null(
	    redirector_take(&router, given.handle + 1, given.fd, given.size));
	assert_null(
	    redirector_take(&other, given.handle, given.fd, given.size));
	assert_null(redirector_take(&router, given.handle, other, given.size));
	assert_null(
	    redirector_take(&router, given.handle, given.fd, given.size - 1));
	assert_non_null(
	    redirector_take(&router, given.handle, given.fd, given.size));
	assert_null(
	    redirector_take(&router, given.handle, given.fd, given.size));
	redirector_unrouted(&router, given.handle, 550, "5.1.1 nobody");
	assert_int_equal(answers, 0);
	assert_true(is_there(id, 0));
	close(other);
}

static void
test_a_refused_address(void **state)
{
	uint64_t id = waiting();

	(void)state;
	assert_int_equal(ask(id, 2), 0);
	redirector_unrouted(&router, given.handle, 550, "5.1.1 nobody");
	assert_int_equal(answer_code, 550);
	redirector_unrouted(&router, given.handle, 550, "5.1.1 nobody");
	assert_int_equal(answers, 1);
	assert_true(is_there(id, 0) && is_there(id, 1));
}

/* It goes, or says nothing, or there is none. */
static void
test_routers_that_do_not_answer(void **state)
{
	uint64_t id = waiting();

	(void)state;
	assert_int_equal(ask(id, 2), 0);
	come_back();
	commit_forget_owner(&router);
	redirector_router_lost(&router);
	commit_run();
	assert_int_equal(answers, 1);
	assert_int_equal(answer_code, 451);
	assert_int_equal(ask(id, 2), 0);
	house_now += ERRAND_ANSWER * UINT64_C(1000) - 1000;
	played_look();
	assert_int_equal(answers, 1);
	house_now += 1000;
	played_look();
	assert_int_equal(answers, 2);
	assert_null(
	    redirector_take(&router, given.handle, given.fd, given.size));
	router_is_there = false;
	assert_int_equal(ask(id, 2), -1);
	assert_int_equal(errno, ENOTCONN);
	queue_drains = true;
	assert_int_equal(ask(id, 2), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(is_there(id, 0) && is_there(id, 1));
}

/* It happens all the same, once. */
static void
test_who_asked_goes(void **state)
{
	uint64_t id = waiting(), made;

	(void)state;
	assert_int_equal(ask(id, 2), 0);
	redirector_forget(&answers);
	made = come_back();
	commit_run();
	assert_int_equal(answers, 0);
	assert_true(is_there(made, 0));
	assert_false(is_there(id, 0));
}

static void
test_no_more_than_may_be_out(void **state)
{
	uint64_t id = waiting();

	(void)state;
	for (int i = 0; i < REDIRECTOR_OUT; i++)
		assert_int_equal(ask(id, 2), 0);
	errno = 0;
	assert_int_equal(ask(id, 2), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
test_wishes_about_reports(void **state)
{
	(void)state;
	assert_int_equal(dsn_notify_merge(0, 0), 0);
	assert_int_equal(dsn_notify_merge(DSN_NOTIFY_NEVER, DSN_NOTIFY_NEVER),
	    DSN_NOTIFY_NEVER);
	assert_int_equal(dsn_notify_merge(DSN_NOTIFY_NEVER, DSN_NOTIFY_SUCCESS),
	    DSN_NOTIFY_SUCCESS);
	assert_int_equal(dsn_notify_merge(0, DSN_NOTIFY_SUCCESS),
	    DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY);
}

static void
test_hops_are_counted(void **state)
{
	static char padding[5000];
	static const struct {
		const char *text;
		uint32_t hops;
	} rows[] = {
		{ "", 0 },
		{ "Received: a\r\nRECEIVED: b\r\nreceived:c\r\n\r\nx", 3 },
		{ "Received: a\r\n\tReceived: b\r\n\r\nReceived: c\r\n", 1 },
		{ "X-Received: a\r\nReceived : b\r\nReceive: c\r\n\r\n", 0 },
		{ "Received: a\nReceived: b\n\nReceived: c\n", 2 },
		{ "Received: a", 0 },
		{ "\r\nReceived: a\r\n", 0 },
	};

	(void)state;
	memset(padding, 'x', sizeof(padding) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t hops;
		int fd = content_create();

		assert_int_not_equal(fd, -1);
		assert_int_equal(
		    content_write(fd, rows[i].text, strlen(rows[i].text)), 0);
		assert_int_equal(hops_count(fd, &hops), 0);
		assert_int_equal(hops, rows[i].hops);
		close(fd);
	}
	for (size_t at = 4080; at < 4100; at++) {
		uint32_t hops;
		int fd = content_create();

		assert_int_equal(content_write(fd, padding, at), 0);
		assert_int_equal(
		    content_write(fd, "\r\nReceived: a\r\n\r\n", 17), 0);
		assert_int_equal(hops_count(fd, &hops), 0);
		assert_int_equal(hops, 1);
		close(fd);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_takes_the_place_of_two),
		TEST(test_the_others_stay),
		TEST(test_a_crash_neither_loses_nor_doubles),
		TEST(test_what_was_handed_out_meanwhile_stays),
		TEST(test_what_is_gone_meanwhile_does_not_come_back),
		TEST(test_what_is_reported_on_stays),
		TEST(test_only_one_redirection_wins),
		TEST(test_numbers_that_do_not_ascend),
		TEST(test_a_router_that_lies),
		TEST(test_a_refused_address),
		TEST(test_routers_that_do_not_answer),
		TEST(test_who_asked_goes),
		TEST(test_no_more_than_may_be_out),
		cmocka_unit_test(test_wishes_about_reports),
		cmocka_unit_test(test_hops_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
