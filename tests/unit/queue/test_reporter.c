/* Reports, between the real store and a router that the test plays. */
#include "common/config.h"
#include "common/content.h"
#include "common/id.h"
#include "common/message.h"
#include "queue/commit.h"
#include "queue/errand.h"
#include "queue/reporter.h"
#include "queue/tell.h"
#include "tests/unit/queue/played_router.h"

static char hostname[] = "mail.example.org", admin[] = "admin@example.org";
static struct config configuration;
static struct config *const in_use = &configuration;
static void
start(void)
{
	played_begin();
	rig_house.lifecycle.warn_after = 14400;
	assert_int_equal(
	    reporter_start(base, &rig_house.lifecycle, &in_use), 0);
}

static void
stop(void)
{
	reporter_router_lost(&router);
	played_end();
}

static int
set_up(void **state)
{
	played_reset();
	configuration.hostname = hostname;
	configuration.admin = admin;
	if (rig_set_up(state) != 0)
		return -1;
	start();
	return 0;
}

static int
tear_down(void **state)
{
	/* Whatever is in the batch asks for its telling once more. */
	commit_run();
	stop();
	return rig_tear_down(state);
}

/* Time goes by, the reporter looks, the commit writes what it decided. */
static void
look_after(unsigned int seconds)
{
	house_now += seconds * UINT64_C(1000);
	reporter_look();
	played_look();
	rig_run();
}

/* A message whose recipients have failed, all in one go. */
static uint64_t
end_badly(const char *const *recipients)
{
	uint64_t id = rig_submit(recipients);

	rig_run();
	while (rig_open(NULL) > 0)
		for (unsigned int i = 0; i < rig_given_count; i++)
			if (rig_given[i].open)
				rig_report(&rig_given[i], REPORT_FAILED,
				    REPORT_SCOPE_RECIPIENT);
	rig_run();
	return id;
}

static uint64_t
fail_one(void)
{
	return end_badly((const char *const[]){ "a@example.com", NULL });
}

static void
on_answer(struct submission *s, unsigned int code, const char *reply)
{
	(void)reply;
	reporter_stored(&router, s->inject, code);
}

/* The router makes a message of what it was given; in the batch only. As
 * link_router.c does it. */
static uint64_t
come_back(void)
{
	struct submission *s = played_send_back("", "");
	uint64_t id;

	assert_int_equal(given.body, SMTP_BODY_7BIT);
	assert_string_equal(given.sender, "");
	s->telling = reporter_take(&router, s->inject, s->fd, s->size);
	assert_non_null(s->telling);
	free(s->helo);
	s->helo =
	    strdup(s->telling->is_notice ? TELL_HELO_NOTICE : TELL_HELO_REPORT);
	s->answer = on_answer;
	id = s->id;
	commit_submission(s);
	return id;
}

static void
refuse(unsigned int code)
{
	reporter_unrouted(&router, given.handle, code, "5.1.1 nobody");
}

static bool
report_has(const char *line)
{
	char *text = calloc(1, given.size + 1);
	bool found;

	assert_non_null(text);
	assert_int_equal(pread(given.fd, text, given.size, 0), given.size);
	found = strstr(text, line) != NULL;
	free(text);
	return found;
}

static bool
is_there(uint64_t id)
{
	struct row_recipient row;

	return house_recipient(&rig_house, id, 0, &row);
}

static void
test_one_report_for_all_that_failed(void **state)
{
	uint64_t id = end_badly((const char *const[]){
	    "a@example.com", "b@example.com", "c@example.org", NULL });
	uint64_t report;

	(void)state;
	look_after(1);
	assert_int_equal(given_count, 0);
	look_after(1);
	assert_int_equal(given_count, 1);
	assert_string_equal(given.to, "sender@example.net");
	/* It is on its way: not again. */
	look_after(ERRAND_ANSWER - 1);
	assert_int_equal(given_count, 1);
	report = come_back();
	assert_true(is_there(id));
	rig_run();
	assert_false(is_there(id));
	assert_true(is_there(report));
	look_after(10);
	assert_int_equal(given_count, 1);
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
}

/* Nothing may be in flight: what is in memory goes. */
static void
crash(void)
{
	assert_int_equal(flight_count(), 0);
	scheduler_stop();
	stop();
	house_crash(&rig_house);
	rig_start();
	start();
}

/* Killed before the commit: nothing is lost. After: nothing comes twice. */
static void
test_a_crash_neither_loses_nor_doubles(void **state)
{
	uint64_t id = fail_one();

	(void)state;
	look_after(2);
	assert_int_equal(given_count, 1);
	crash();
	look_after(1);
	assert_int_equal(given_count, 2);
	come_back();
	commit_run();
	crash();
	assert_false(is_there(id));
	look_after(10);
	assert_int_equal(given_count, 2);
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
}

static void
test_a_router_that_goes(void **state)
{
	uint64_t id = fail_one();

	(void)state;
	look_after(2);
	come_back();
	commit_forget_owner(&router);
	reporter_router_lost(&router);
	rig_run();
	assert_true(is_there(id));
	router_is_there = false;
	look_after(1);
	router_is_there = true;
	look_after(1);
	assert_int_equal(given_count, 2);
	come_back();
	rig_run();
	assert_false(is_there(id));
}

/* The report is made again, and what it says then comes too late. */
static void
test_a_router_that_says_nothing(void **state)
{
	uint64_t id = fail_one();
	uint32_t late;

	(void)state;
	look_after(2);
	late = given.handle;
	look_after(ERRAND_ANSWER);
	assert_int_equal(given_count, 2);
	assert_int_not_equal(given.handle, late);
	assert_null(reporter_take(&router, late, given.fd, given.size));
	reporter_unrouted(&router, late, 550, "5.1.1 nobody");
	reporter_stored(&router, late, 250);
	rig_run();
	assert_true(is_there(id));
	come_back();
	rig_run();
	assert_false(is_there(id));
}

/* What it does is not hurried: it is in the batch. */
static void
test_a_commit_that_takes_long(void **state)
{
	(void)state;
	fail_one();
	look_after(2);
	come_back();
	house_now += ERRAND_ANSWER * UINT64_C(2000);
	reporter_look();
	played_look();
	assert_int_equal(given_count, 1);
	rig_run();
	look_after(10);
	assert_int_equal(given_count, 1);
}

static void
test_what_is_in_flight_is_waited_for(void **state)
{
	uint64_t id = rig_submit(
	    (const char *const[]){ "a@example.com", "b@example.org", NULL });

	(void)state;
	rig_run();
	assert_int_equal(rig_given_count, 2);
	rig_report(&rig_given[0], REPORT_FAILED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	look_after(3);
	assert_int_equal(given_count, 0);
	rig_report(&rig_given[1], REPORT_FAILED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	look_after(2);
	assert_int_equal(given_count, 1);
	come_back();
	rig_run();
	assert_false(is_there(id));
	look_after(TELL_IN_FLIGHT);
	assert_int_equal(given_count, 1);
}

/* But not for ever. */
static void
test_what_is_in_flight_for_long(void **state)
{
	(void)state;
	rig_submit(
	    (const char *const[]){ "a@example.com", "b@example.org", NULL });
	rig_run();
	rig_report(&rig_given[0], REPORT_FAILED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	look_after(TELL_IN_FLIGHT);
	assert_int_equal(given_count, 0);
	look_after(TELL_GATHER);
	assert_int_equal(given_count, 1);
	come_back();
	rig_run();
	assert_int_equal(rig_open("mx:example.org"), 1);
}

static void
test_a_refused_address(void **state)
{
	unsigned int again = rig_house.lifecycle.retry.from;
	uint64_t id = fail_one();
	struct row_recipient row;

	(void)state;
	look_after(2);
	refuse(451);
	rig_run();
	look_after(again - 1);
	assert_int_equal(given_count, 1);
	look_after(1);
	assert_int_equal(given_count, 2);
	/* Then it is for the administrator, at once. */
	refuse(550);
	assert_int_equal(given_count, 3);
	assert_string_equal(given.to, "admin@example.org");
	refuse(550);
	rig_run();
	look_after(100000);
	assert_int_equal(given_count, 3);
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.told, DSN_TOLD_GIVEN_UP);
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
}

/* What is given up stays so when others of its message are reported. */
static void
test_what_is_given_up_is_not_told_with_others(void **state)
{
	uint64_t id = rig_submit(
	    (const char *const[]){ "a@example.com", "b@example.org", NULL });

	(void)state;
	rig_run();
	rig_report(&rig_given[0], REPORT_FAILED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	look_after(TELL_IN_FLIGHT + TELL_GATHER);
	refuse(550);
	refuse(550);
	rig_run();
	rig_report(&rig_given[1], REPORT_FAILED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	given_count = 0;
	look_after(2);
	assert_int_equal(given_count, 1);
	come_back();
	rig_run();
	assert_true(is_there(id));
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 2);
}

/* After two seconds; what is said is in `log`. */
static void
look_and_read_log(char *log, size_t size)
{
	int old = dup(STDERR_FILENO), pipes[2];
	ssize_t length;

	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	look_after(2);
	dup2(old, STDERR_FILENO);
	close(old);
	close(pipes[1]);
	length = read(pipes[0], log, size - 1);
	assert_true(length >= 0);
	log[length] = '\0';
	close(pipes[0]);
}

/* What only the index speaks of is no damage. */
static void
test_a_message_that_is_gone(void **state)
{
	uint64_t id = fail_one();
	char log[4096];

	(void)state;
	assert_true(house_act(&rig_house, CTL_VERB_REMOVE, id, 0));
	look_and_read_log(log, sizeof(log));
	assert_string_equal(log, "");
	assert_int_equal(given_count, 0);
	look_after(1);
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
}

static void
damage(enum store_table table, struct row_key key)
{
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(store_put(rig_house.store, table, &key, "rot", 3), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
}

/* Its row said how large it was: so nobody knows any more what all hold. */
static void
forget_octets(void)
{
	rig_house.lifecycle.totals.bytes -= 300;
}

/* Whatever makes it fail, the history knows whose it was. */
static void
sender_is_told_by_the_history(uint64_t id)
{
	char log[4096];

	look_and_read_log(log, sizeof(log));
	assert_non_null(strstr(log, "message-damaged id="));
	assert_int_equal(given_count, 1);
	assert_string_equal(given.to, "sender@example.net");
	assert_true(report_has("\r\nAction: failed\r\n"));
	assert_true(
	    report_has("\r\nArrival-Date: Fri, 15 Jan 2027 08:00:00 +0000"));
	/* Nothing says that the content is what it was. */
	assert_false(report_has("message/rfc822"));
	assert_false(report_has("rfc822-headers"));
	forget_octets();
	come_back();
	rig_run();
	assert_false(is_there(id));
	assert_int_equal(house_count(&rig_house, STORE_MESSAGE), 1);
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
}

static void
test_a_damaged_message_that_has_failed(void **state)
{
	uint64_t id = fail_one();

	(void)state;
	damage(STORE_MESSAGE, row_key_id(id));
	sender_is_told_by_the_history(id);
}

static void
test_a_damaged_message_that_fails(void **state)
{
	uint64_t id = rig_submit_one("a@example.com");

	(void)state;
	rig_run();
	damage(STORE_MESSAGE, row_key_id(id));
	rig_report(&rig_given[0], REPORT_FAILED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	sender_is_told_by_the_history(id);
}

static void
test_a_damaged_message_that_is_given_up(void **state)
{
	uint64_t id = rig_submit_one("a@example.com");
	struct row_recipient row;

	(void)state;
	rig_agent = AGENT_FULL;
	rig_run();
	damage(STORE_MESSAGE, row_key_id(id));
	rig_agent = AGENT_READY;
	scheduler_slot_free(ROUTE_MX);
	rig_run_all();
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_HELD);
	assert_true(house_act(&rig_house, CTL_VERB_BOUNCE, id, 0));
	sender_is_told_by_the_history(id);
}

/* Nobody knows whose it was: it stays, and nobody waits for it. */
static void
test_a_damaged_message_without_history(void **state)
{
	uint64_t id = fail_one();
	struct row_key key = row_key_number(id, 0);
	uint8_t event[ROW_VALUE_SIZE];
	struct row_recipient row;
	struct bytes value;
	size_t length;

	(void)state;
	assert_int_equal(store_read_begin(rig_house.store), 0);
	assert_int_equal(
	    store_get(rig_house.store, STORE_EVENT, &key, &value), 0);
	length = value.length;
	memcpy(event, value.data, length);
	store_read_end(rig_house.store);
	damage(STORE_MESSAGE, row_key_id(id));
	damage(STORE_EVENT, key);
	look_after(2);
	look_after(2);
	assert_int_equal(given_count, 0);
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_FAILED);
	assert_int_equal(row.told, DSN_TOLD_GIVEN_UP);
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
	/* The proof at the end is about the others. */
	forget_octets();
	assert_true(house_act(&rig_house, CTL_VERB_REMOVE, id, 0));
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_put(rig_house.store, STORE_EVENT, &key, event, length), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
}

/* Its neighbour is reported, and the log says what cannot be read. */
static void
test_a_damaged_recipient(void **state)
{
	uint64_t id = end_badly(
	    (const char *const[]){ "a@example.com", "b@example.org", NULL });
	struct row_key key = row_key_number(id, 0);
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_recipient row;
	char line[64], log[4096];
	size_t length;

	(void)state;
	assert_true(house_recipient(&rig_house, id, 0, &row));
	length = row_recipient_encode(&row, octets);
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_put(rig_house.store, STORE_RECIPIENT, &key, "rot", 3), 0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
	look_and_read_log(log, sizeof(log));
	snprintf(line, sizeof(line), "recipient-damaged id=%s number=0",
	    id_format(id).text);
	assert_non_null(strstr(log, line));
	assert_int_equal(given_count, 1);
	come_back();
	rig_run();
	assert_int_equal(store_write_begin(rig_house.store), 0);
	assert_int_equal(
	    store_put(rig_house.store, STORE_RECIPIENT, &key, octets, length),
	    0);
	assert_int_equal(store_write_commit(rig_house.store), 0);
}

static void
test_no_administrator_is_named(void **state)
{
	(void)state;
	configuration.admin = NULL;
	fail_one();
	look_after(2);
	refuse(550);
	assert_string_equal(given.to, "postmaster");
}

/* Nothing that the router was not given, nor twice, nor changed. */
static void
test_a_router_that_lies(void **state)
{
	uint64_t id = fail_one();
	int other, fd = content_create();

	(void)state;
	look_after(2);
	assert_null(reporter_take(&other, given.handle, given.fd, given.size));
	assert_null(
	    reporter_take(&router, given.handle + 1, given.fd, given.size));
	assert_null(reporter_take(&router, 0, given.fd, given.size));
	assert_null(
	    reporter_take(&router, given.handle, given.fd, given.size + 1));
	assert_null(reporter_take(&router, given.handle, fd, given.size));
	close(fd);
	reporter_unrouted(&other, given.handle, 550, "no");
	reporter_unrouted(&router, given.handle + 1, 550, "no");
	reporter_stored(&other, given.handle, 250);
	reporter_router_lost(&other);
	assert_int_equal(given_count, 1);
	come_back();
	assert_null(reporter_take(&router, given.handle, given.fd, given.size));
	reporter_unrouted(&router, given.handle, 550, "no");
	rig_run();
	assert_false(is_there(id));
	assert_int_equal(given_count, 1);
}

/* Whoever retries what failed finds the report without a subject. */
static void
test_what_is_tried_again_is_not_reported(void **state)
{
	uint64_t id = fail_one();

	(void)state;
	assert_true(house_act(&rig_house, CTL_VERB_RETRY, id, 0));
	look_after(2);
	assert_int_equal(given_count, 0);
	assert_true(is_there(id));
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
}

/* What is in flight of this message fails. */
static void
fail_report(uint64_t id)
{
	for (unsigned int i = 0; i < rig_given_count; i++)
		if (rig_given[i].open && rig_given[i].id == id)
			rig_report(&rig_given[i], REPORT_FAILED,
			    REPORT_SCOPE_RECIPIENT);
	rig_run();
}

static int done;

static void
on_done(int result, void *context)
{
	(void)context;
	done = result;
}

/* In one batch with whatever gathered before. */
static int
act(enum ctl_verb verb, uint64_t id, uint32_t number)
{
	done = -1;
	assert_int_equal(commit_verb(verb, id, number, 0, on_done, NULL), 0);
	commit_run();
	return done;
}

static int
retry(uint64_t id, uint32_t number)
{
	return act(CTL_VERB_RETRY, id, number);
}

/* While the report is on its way it is too late, or too early: else the sender
 * would hear that it failed, and it might be delivered. */
static void
test_what_is_being_told_is_not_tried_again(void **state)
{
	uint64_t id = end_badly((const char *const[]){ "a@example.com", NULL });
	uint64_t other = fail_one();
	struct row_recipient row;

	(void)state;
	rig_house.lifecycle.is_telling = reporter_is_telling;
	assert_int_equal(retry(other, 0), COMMIT_CHANGED);
	look_after(2);
	assert_int_equal(given_count, 1);
	assert_int_equal(retry(id, 0), COMMIT_BUSY);
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_FAILED);
	/* Whatever does not wait for the sender may happen. */
	assert_int_equal(retry(other, 0), COMMIT_CHANGED);
	/* The report cannot be routed now. */
	refuse(451);
	assert_int_equal(retry(id, 0), COMMIT_CHANGED);
	rig_run();
	fail_report(id);
	look_after(2);
	assert_int_equal(given_count, 2);
	/* The report and the retrial in one batch. */
	come_back();
	assert_int_equal(retry(id, 0), COMMIT_UNCHANGED);
	assert_false(is_there(id));
}

/* What an agent has in hand may be delivered yet: nobody is told that it
 * failed. */
static void
test_what_is_in_flight_is_not_given_up(void **state)
{
	uint64_t id = rig_submit_one("a@example.com");
	struct row_recipient row;

	(void)state;
	rig_run();
	assert_int_equal(act(CTL_VERB_BOUNCE, id, 0), COMMIT_BUSY);
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_WAITING);
	assert_int_equal(act(CTL_VERB_HOLD, id, 0), COMMIT_CHANGED);
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_int_equal(act(CTL_VERB_BOUNCE, id, 0), COMMIT_CHANGED);
	look_after(2);
	assert_int_equal(given_count, 1);
}

/* A report that fails is told to the administrator; a notice to nobody. */
static void
test_double_bounces_end_with_the_administrator(void **state)
{
	uint64_t report, notice;

	(void)state;
	fail_one();
	look_after(2);
	report = come_back();
	rig_run_all();
	fail_report(report);
	look_after(2);
	assert_int_equal(given_count, 2);
	assert_string_equal(given.to, "admin@example.org");
	notice = come_back();
	rig_run_all();
	assert_false(is_there(report));
	fail_report(notice);
	look_after(2);
	look_after(1000);
	assert_int_equal(given_count, 2);
	assert_true(is_there(notice));
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
}

static void
defer_first(unsigned int after)
{
	house_now += after * UINT64_C(1000);
	scheduler_wake();
	rig_run();
	rig_report(rig_first_open("mx:example.com"), REPORT_DEFERRED,
	    REPORT_SCOPE_RECIPIENT);
	rig_run();
}

static uint64_t
submit_wanting(unsigned int notify)
{
	struct submission *s =
	    house_mail(300, (const char *const[]){ "a@example.com", NULL });
	uint64_t id = s->id;

	s->recipients[0].notify = (uint8_t)notify;
	commit_submission(s);
	rig_run();
	return id;
}

/* Once, when it is late, and it goes on being tried. */
static void
test_a_delay_is_told_once(void **state)
{
	uint64_t id = submit_wanting(0);
	struct row_recipient row;

	(void)state;
	defer_first(0);
	look_after(2);
	assert_int_equal(given_count, 0);
	defer_first(14400);
	look_after(2);
	assert_int_equal(given_count, 1);
	assert_string_equal(given.to, "sender@example.net");
	come_back();
	rig_run();
	assert_true(house_recipient(&rig_house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_WAITING);
	assert_int_equal(row.told, DSN_TOLD_DELAY);
	defer_first(14400);
	look_after(2);
	assert_int_equal(given_count, 1);
	assert_true(is_there(id));
	/* A failure is still told. */
	house_now += UINT64_C(432000000);
	defer_first(0);
	look_after(2);
	assert_int_equal(given_count, 2);
	come_back();
	rig_run();
	assert_false(is_there(id));
}

/* A delay is nothing for the administrator, nor worth a second attempt. */
static void
test_a_delay_that_cannot_be_told(void **state)
{
	uint64_t id = submit_wanting(DSN_NOTIFY_DELAY);

	(void)state;
	defer_first(0);
	defer_first(14400);
	look_after(2);
	assert_int_equal(given_count, 1);
	refuse(550);
	rig_run();
	look_after(100);
	defer_first(14400);
	look_after(2);
	assert_int_equal(given_count, 1);
	assert_true(is_there(id));
	assert_int_equal(house_count(&rig_house, STORE_REPORT), 0);
}

/* For a host that is down: `a` was tried before it failed, `b` is when so many
 * seconds have gone by, `c` never. */
static void
wait_for_a_dead_host(uint64_t ids[3], unsigned int seconds)
{
	static const char *const to[] = { "a@example.com", "b@example.com",
		"c@example.com" };

	for (unsigned int i = 0; i < 3; i++) {
		struct submission *s =
		    house_mail(300, (const char *const[]){ to[i], NULL });

		ids[i] = s->id;
		s->recipients[0].notify = 0;
		commit_submission(s);
		rig_run();
		if (i == 0)
			rig_report(&rig_given[0], REPORT_DEFERRED,
			    REPORT_SCOPE_DESTINATION);
		rig_run();
		assert_int_equal(rig_given_count, 1);
	}
	house_now += seconds * UINT64_C(1000);
	scheduler_wake();
	rig_run();
	assert_int_equal(rig_given_count, 2);
	assert_true(rig_given[1].id == ids[1]);
	rig_report(&rig_given[1], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	rig_run_all();
}

/* The reports on these three, one by one; each must have its line, and all
 * must have one. */
static void
take_reports(const char *const lines[3], const char *all)
{
	static const char *const to[] = { "rfc822; a@example.com",
		"rfc822; b@example.com", "rfc822; c@example.com" };
	unsigned int seen = 0;

	for (unsigned int n = 0; n < 3; n++) {
		look_after(2);
		assert_true(report_has(all));
		for (unsigned int i = 0; i < 3; i++) {
			if (!report_has(to[i]))
				continue;
			seen |= 1U << i;
			assert_int_equal(report_has("\r\nLast-Attempt-Date: "),
			    lines[i] != NULL);
			assert_int_equal(
			    report_has("It was not tried."), lines[i] == NULL);
			if (lines[i] != NULL)
				assert_true(report_has(lines[i]));
		}
		come_back();
		rig_run();
		reporter_router_lost(&router);
	}
	assert_int_equal(seen, 7);
}

/* Nobody is tried behind a host that is down but one: the others' senders are
 * warned as well, once, and what was not tried does not count as tried. */
static void
test_a_delay_behind_others(void **state)
{
	static const char *const lines[] = {
		"\r\nLast-Attempt-Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n",
		"\r\nLast-Attempt-Date: Fri, 15 Jan 2027 12:00:00 +0000\r\n",
		NULL,
	};
	struct row_recipient row;
	uint64_t ids[3], began = house_now / 1000;

	(void)state;
	wait_for_a_dead_host(ids, 14400);
	take_reports(lines, "\r\nAction: delayed\r\n");
	assert_true(house_recipient(&rig_house, ids[2], 0, &row));
	assert_int_equal(row.state, RECIPIENT_WAITING);
	assert_int_equal(row.attempts, 0);
	assert_int_equal(row.due, began);
	assert_string_equal(row.reply, "what it said");
	assert_int_equal(row.told, DSN_TOLD_DELAY);
	given_count = 0;
	house_now += 14400 * 1000;
	scheduler_wake();
	rig_run();
	rig_report(rig_first_open("mx:example.com"), REPORT_DEFERRED,
	    REPORT_SCOPE_DESTINATION);
	rig_run_all();
	look_after(2);
	look_after(2);
	assert_int_equal(given_count, 0);
}

/* What expires behind others was tried when it was, or never. */
static void
test_the_last_attempt_of_what_expired(void **state)
{
	static const char *const lines[] = {
		"\r\nLast-Attempt-Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n",
		"\r\nLast-Attempt-Date: Wed, 20 Jan 2027 08:01:40 +0000\r\n",
		NULL,
	};
	uint64_t ids[3];

	(void)state;
	wait_for_a_dead_host(ids, 432100);
	take_reports(lines, "\r\nAction: failed\r\n");
	for (unsigned int i = 0; i < 3; i++)
		assert_false(is_there(ids[i]));
}

/* An alias of several: its report waits for no delivery, and no delivery for
 * it. */
static void
test_an_alias_is_reported_as_expanded(void **state)
{
	struct submission *s = house_mail(300,
	    (const char *const[]){ "a@example.com", "team@example.net", NULL });
	uint64_t id = s->id;
	struct row_recipient row;

	(void)state;
	s->recipients[1].notify = DSN_NOTIFY_SUCCESS;
	s->recipients[1].expanded = true;
	commit_submission(s);
	rig_run();
	assert_int_equal(rig_given_count, 1);
	assert_int_equal(rig_given[0].count, 1);
	look_after(TELL_IN_FLIGHT + TELL_GATHER);
	assert_int_equal(given_count, 1);
	assert_true(report_has("\r\nFinal-Recipient: rfc822; team@example.net"
			       "\r\nAction: expanded\r\nStatus: 2.0.0\r\n"));
	assert_false(report_has("Last-Attempt-Date"));
	assert_false(report_has("Final-Recipient: rfc822; a@example.com"));
	come_back();
	rig_run();
	assert_true(is_there(id));
	assert_false(house_recipient(&rig_house, id, 1, &row));
}

/* When it was tried last, not when it failed or is told. */
static void
test_the_last_attempt_is_dated(void **state)
{
	uint64_t id = submit_wanting(0);

	(void)state;
	defer_first(0);
	house_now += 100000;
	assert_true(house_act(&rig_house, CTL_VERB_BOUNCE, id, 0));
	look_after(2);
	assert_int_equal(given_count, 1);
	assert_true(report_has(
	    "\r\nLast-Attempt-Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"));
	assert_true(report_has("Date: Fri, 15 Jan 2027 08:01:42 +0000"));
	reporter_router_lost(&router);
	/* Of what was never tried it is not known. */
	id = rig_submit_one("c@never.example");
	rig_agent = AGENT_FULL;
	rig_run();
	assert_true(house_act(&rig_house, CTL_VERB_BOUNCE, id, 0));
	look_after(2);
	assert_int_equal(given_count, 3);
	assert_true(report_has("c@never.example"));
	assert_false(report_has("Last-Attempt-Date"));
}

/* The administrator gives it up, also what waits or was never tried. */
static void
test_what_is_given_up_is_reported(void **state)
{
	uint64_t id = rig_submit_one("a@example.com");

	(void)state;
	rig_run();
	rig_report(&rig_given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	rig_run();
	assert_true(house_act(&rig_house, CTL_VERB_BOUNCE, id, 0));
	assert_true(is_there(id));
	look_after(2);
	assert_int_equal(given_count, 1);
	refuse(550);
	refuse(550);
	rig_run();
	look_after(1000);
	assert_int_equal(given_count, 2);
	/* And once more, when the reason is mended. */
	assert_true(house_act(&rig_house, CTL_VERB_BOUNCE, id, 0));
	look_after(2);
	assert_int_equal(given_count, 3);
	assert_string_equal(given.to, "sender@example.net");
	come_back();
	rig_run();
	assert_false(is_there(id));
}

static void
test_a_clock_that_was_wrong(void **state)
{
	(void)state;
	house_now += UINT64_C(86400000);
	fail_one();
	house_now -= UINT64_C(86400000);
	look_after(0);
	assert_int_equal(given_count, 1);
}

/* However many others are not ripe. */
static void
test_a_clock_that_was_wrong_and_many_others(void **state)
{
	(void)state;
	house_now += UINT64_C(86400000);
	fail_one();
	house_now -= UINT64_C(86400000);
	for (unsigned int i = 0; i < 600; i++)
		fail_one();
	look_after(0);
	assert_int_equal(given_count, 1);
}

/* What the index cannot mean is passed over, however much it is. */
static void
test_a_damaged_index(void **state)
{
	struct row_key key = { .length = 3 };
	struct store *store = rig_house.store;

	(void)state;
	fail_one();
	assert_int_equal(store_write_begin(store), 0);
	for (unsigned int i = 0; i < 600; i++) {
		key.octets[1] = (uint8_t)(i / 256);
		key.octets[2] = (uint8_t)i;
		assert_int_equal(
		    store_put(store, STORE_REPORT, &key, "", 0), 0);
	}
	assert_int_equal(store_write_commit(store), 0);
	look_after(2);
	assert_int_equal(given_count, 1);
	/* The end of the test looks whether the store is sound. */
	assert_int_equal(store_write_begin(store), 0);
	for (unsigned int i = 0; i < 600; i++) {
		key.octets[1] = (uint8_t)(i / 256);
		key.octets[2] = (uint8_t)i;
		assert_int_equal(store_delete(store, STORE_REPORT, &key), 0);
	}
	assert_int_equal(store_write_commit(store), 0);
}

/* A message of many recipients has as many reports as it needs. */
static void
test_more_recipients_than_a_report_holds(void **state)
{
	static char addresses[150][32];
	const char *list[151] = { NULL };

	(void)state;
	for (unsigned int i = 0; i < 150; i++) {
		snprintf(
		    addresses[i], sizeof(addresses[i]), "r%u@example.com", i);
		list[i] = addresses[i];
	}
	end_badly(list);
	look_after(2);
	assert_int_equal(given_count, 1);
	come_back();
	rig_run();
	look_after(2);
	assert_int_equal(given_count, 2);
	come_back();
	rig_run();
	look_after(2);
	assert_int_equal(given_count, 2);
	/* The two reports. */
	assert_int_equal(house_count(&rig_house, STORE_RECIPIENT), 2);
}

/* No more at a time than it has room for; the rest follows. */
static void
test_more_reports_than_may_be_out(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < REPORTER_OUT + 5; i++)
		fail_one();
	look_after(2);
	assert_int_equal(given_count, REPORTER_OUT);
	come_back();
	rig_run();
	look_after(1);
	assert_int_equal(given_count, REPORTER_OUT + 1);
	reporter_router_lost(&router);
	given_count = 0;
	look_after(1);
	assert_int_equal(given_count, REPORTER_OUT);
}

/* They do not wait for a second when there are places. */
static void
test_many_reports_follow_each_other(void **state)
{
	uint32_t first;

	(void)state;
	for (unsigned int i = 0; i < REPORTER_OUT + 5; i++)
		fail_one();
	look_after(2);
	assert_int_equal(given_count, REPORTER_OUT);
	first = given.handle - REPORTER_OUT + 1;
	for (unsigned int i = 0; i < REPORTER_OUT / 2; i++) {
		assert_int_equal(played_wait.tv_sec, 1);
		reporter_stored(&router, first + i, 451);
	}
	assert_int_equal(played_wait.tv_sec, 0);
	rig_run();
	look_after(0);
	assert_int_equal(given_count, REPORTER_OUT + 5);
	reporter_stored(&router, given.handle, 451);
	assert_int_equal(played_wait.tv_sec, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_report_for_all_that_failed),
		TEST(test_a_crash_neither_loses_nor_doubles),
		TEST(test_a_router_that_goes),
		TEST(test_a_router_that_says_nothing),
		TEST(test_a_commit_that_takes_long),
		TEST(test_what_is_in_flight_is_waited_for),
		TEST(test_what_is_in_flight_for_long),
		TEST(test_a_refused_address),
		TEST(test_what_is_given_up_is_not_told_with_others),
		TEST(test_a_message_that_is_gone),
		TEST(test_a_damaged_message_that_has_failed),
		TEST(test_a_damaged_message_that_fails),
		TEST(test_a_damaged_message_that_is_given_up),
		TEST(test_a_damaged_message_without_history),
		TEST(test_a_damaged_recipient),
		TEST(test_no_administrator_is_named),
		TEST(test_a_router_that_lies),
		TEST(test_what_is_tried_again_is_not_reported),
		TEST(test_what_is_being_told_is_not_tried_again),
		TEST(test_what_is_in_flight_is_not_given_up),
		TEST(test_double_bounces_end_with_the_administrator),
		TEST(test_a_delay_is_told_once),
		TEST(test_a_delay_that_cannot_be_told),
		TEST(test_a_delay_behind_others),
		TEST(test_the_last_attempt_of_what_expired),
		TEST(test_an_alias_is_reported_as_expanded),
		TEST(test_the_last_attempt_is_dated),
		TEST(test_what_is_given_up_is_reported),
		TEST(test_a_clock_that_was_wrong),
		TEST(test_a_clock_that_was_wrong_and_many_others),
		TEST(test_a_damaged_index),
		TEST(test_more_recipients_than_a_report_holds),
		TEST(test_more_reports_than_may_be_out),
		TEST(test_many_reports_follow_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
