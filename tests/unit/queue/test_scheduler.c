#include <sys/resource.h>

#include <event2/event.h>

#include "queue/commit.h"
#include "queue/content_cache.h"
#include "queue/delivery.h"
#include "queue/flight.h"
#include "queue/scheduler.h"
#include "queue/scheduler_lists.h"
#include "queue/stats.h"
#include "queue/turn.h"
#include "tests/unit/queue/test.h"

/* The real store, commit and scheduler, between a fake router and agents that
 * do what the test says. */

#define MOST_DELIVERIES 20000

struct given {
	uint64_t id;
	struct destination *destination;
	struct flight *flights[DELIVERY_RECIPIENTS];
	unsigned int count;
	bool open;
};

static struct house house;
static struct event_base *base;
static struct given given[MOST_DELIVERIES]; /* every one, in order */
static unsigned int given_count;
static unsigned int turns;
static enum agent_state agent;
static struct lifecycle_report refusal;
static unsigned int answers_250;

void
turn_soon(void)
{
	turns++;
}

/* -- Agents --------------------------------------------------------------- */

static enum agent_state
fake_ready(struct destination *d, struct lifecycle_report *report)
{
	(void)d;
	*report = refusal;
	return agent;
}

static int
fake_deliver(const struct delivery *delivery)
{
	struct given *g = &given[given_count++];

	assert_true(given_count < MOST_DELIVERIES);
	assert_true(delivery->count > 0);
	assert_int_not_equal(delivery->fd, -1);
	assert_int_equal(
	    lseek(delivery->fd, 0, SEEK_END), delivery->message.size);
	close(delivery->fd);
	g->id = delivery->id;
	g->destination = delivery->destination;
	g->count = delivery->count;
	g->open = true;
	for (unsigned int i = 0; i < delivery->count; i++) {
		g->flights[i] = delivery->flights[i];
		assert_int_equal(
		    delivery->recipients[i].state, RECIPIENT_WAITING);
	}
	return 0;
}

static const struct delivery_agents agents = {
	.ready = fake_ready,
	.deliver = fake_deliver,
};

static void
report(struct given *g, enum report_outcome outcome, enum report_scope scope)
{
	struct lifecycle_report r = {
		.outcome = outcome,
		.scope = scope,
		.host = "h",
		.reply = "what it said",
	};

	assert_true(g->open);
	g->open = false;
	for (unsigned int i = 0; i < g->count; i++)
		scheduler_report(g->flights[i], &r);
	scheduler_delivery_end(g->destination, false);
}

static void
lose(struct given *g)
{
	assert_true(g->open);
	g->open = false;
	for (unsigned int i = 0; i < g->count; i++)
		scheduler_lost(g->flights[i]);
	scheduler_delivery_end(g->destination, true);
}

static unsigned int
open_deliveries(const char *name)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < given_count; i++)
		if (given[i].open &&
		    (name == NULL ||
			strcmp(given[i].destination->name, name) == 0))
			count++;
	return count;
}

static struct given *
first_open(const char *name)
{
	for (unsigned int i = 0; i < given_count; i++)
		if (given[i].open &&
		    strcmp(given[i].destination->name, name) == 0)
			return &given[i];
	fail_msg("nothing is in flight to %s", name);
	return given;
}

/* -- The house ------------------------------------------------------------ */

static void
on_gathered(bool full)
{
	(void)full;
}

static void
on_accepted(struct submission *s)
{
	int fd = s->fd;

	s->fd = -1;
	content_cache_keep(s->id, s->size, fd);
}

static const struct commit_handler handler = {
	.gathered = on_gathered,
	.accepted = on_accepted,
	.landed = scheduler_landed,
	.gone = content_cache_drop,
	.committed = scheduler_committed,
	.stalled = scheduler_pause,
};

static void
start(void)
{
	assert_int_equal(commit_start(NULL, &house.lifecycle, &handler), 0);
	assert_int_equal(scheduler_start(base, &house.lifecycle, &agents), 0);
}

static int
set_up(void **state)
{
	(void)state;
	house_now = UINT64_C(1800000000000);
	house_open(&house, 256 * MIB);
	base = event_base_new();
	assert_non_null(base);
	given_count = 0;
	agent = AGENT_READY;
	answers_250 = 0;
	start();
	return 0;
}

static void
run(void)
{
	scheduler_dispatch();
	commit_run();
	scheduler_dispatch();
}

static void
run_all(void)
{
	do {
		turns = 0;
		run();
	} while (turns > 0 && scheduler_in_flight(ROUTE_MX) == 0 &&
		 scheduler_in_flight(ROUTE_MAILBOX) == 0);
}

/* What is still in flight is given back first. */
static int
tear_down(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < given_count; i++)
		if (given[i].open)
			report(&given[i], REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT);
	commit_run();
	assert_int_equal(flight_count(), 0);
	house_is_sound(&house);
	scheduler_stop();
	content_cache_clear();
	event_base_free(base);
	house_close(&house);
	return 0;
}

static void
on_answer(struct submission *s, unsigned int code, const char *reply)
{
	(void)s;
	(void)reply;
	assert_int_equal(code, 250);
	answers_250++;
}

static uint64_t
submit(const char *const *recipients)
{
	struct submission *s = house_mail(300, recipients);
	uint64_t id = s->id;

	s->answer = on_answer;
	commit_submission(s);
	return id;
}

static uint64_t
submit_one(const char *address)
{
	return submit((const char *const[]){ address, NULL });
}

static void
submit_many(const char *address, unsigned int count)
{
	while (count-- > 0)
		submit_one(address);
}

/* Waits until the real clock has moved on, and timers with it. */
static void
wait_ms(long milliseconds)
{
	struct timeval time = { milliseconds / 1000,
		milliseconds % 1000 * 1000 };

	event_base_loopexit(base, &time);
	event_base_dispatch(base);
}

#ifndef __SANITIZE_ADDRESS__
/* Octets of address space. */
static rlim_t
memory_in_use(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	char line[256] = "";

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	return (rlim_t)strtoul(line, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}
#endif

/* -- Tests ---------------------------------------------------------------- */

static void
test_two_commits_and_no_look_at_the_store(void **state)
{
	uint64_t id, before = stats.commits;

	(void)state;
	id = submit_one("u@example.com");
	run();
	assert_int_equal(answers_250, 1);
	assert_int_equal(given_count, 1);
	assert_int_equal(given[0].id, id);
	report(&given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	run();
	assert_int_equal(stats.commits - before, 2);
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
	assert_int_equal(given_count, 1);
}

static void
test_the_window_grows_and_halves(void **state)
{
	unsigned int last;

	(void)state;
	submit_many("u@example.com", 200);
	run();
	assert_int_equal(given_count, SCHEDULER_WINDOW_FIRST);
	for (int i = 0; i < 40; i++) {
		report(first_open("mx:example.com"), REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		run();
	}
	assert_int_equal(
	    open_deliveries("mx:example.com"), SCHEDULER_WINDOW_MOST);
	/* A refusal of one recipient says nothing about the host. */
	report(first_open("mx:example.com"), REPORT_DEFERRED,
	    REPORT_SCOPE_RECIPIENT);
	run();
	assert_int_equal(
	    open_deliveries("mx:example.com"), SCHEDULER_WINDOW_MOST);
	last = given_count;
	/* The host is down: nothing more, though 100 are due. */
	for (int i = 0; i < SCHEDULER_WINDOW_MOST; i++)
		report(first_open("mx:example.com"), REPORT_DEFERRED,
		    REPORT_SCOPE_DESTINATION);
	run();
	assert_int_equal(given_count, last);
	house_now += 200 * 1000ULL;
	scheduler_wake();
	run();
	assert_int_equal(given_count, last);
	/* After the back-off one is tried, alone. */
	house_now += 100 * 1000ULL;
	scheduler_wake();
	run();
	assert_int_equal(given_count, last + 1);
	report(&given[last], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	run();
	assert_int_equal(given_count, last + 1);
	house_now += 600 * 1000ULL;
	scheduler_wake();
	run();
	assert_int_equal(given_count, last + 2);
	/* It answers: its mail goes again. */
	report(&given[last + 1], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	run();
	assert_true(open_deliveries("mx:example.com") > 1);
}

static void
test_a_newcomer_does_not_wait_for_a_long_queue(void **state)
{
	unsigned int position;

	(void)state;
	submit_many("u@big.example", 1000);
	run();
	for (int i = 0; i < 30; i++) {
		report(first_open("mx:big.example"), REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		run();
	}
	position = given_count;
	submit_one("u@small.example");
	run();
	assert_true(given_count - position <= 3);
	assert_int_equal(open_deliveries("mx:small.example"), 1);
}

static void
test_destinations_take_turns(void **state)
{
	unsigned int a = 0, b = 0;

	(void)state;
	agent = AGENT_COMING;
	submit_many("u@a.example", 50);
	submit_many("u@b.example", 50);
	run();
	assert_int_equal(given_count, 0);
	agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MX, NULL);
	run();
	for (unsigned int i = 0; i < given_count; i++) {
		if (strcmp(given[i].destination->name, "mx:a.example") == 0)
			a++;
		else
			b++;
		assert_true(a <= b + 1 && b <= a + 1);
	}
	assert_int_equal(a, SCHEDULER_WINDOW_FIRST);
	assert_int_equal(b, SCHEDULER_WINDOW_FIRST);
}

/* However many slow destinations there are, a fresh one is tried at once. */
static void
test_slow_hosts_do_not_take_all_agents(void **state)
{
	char address[64];

	(void)state;
	for (int host = 0; host < 150; host++) {
		snprintf(address, sizeof(address), "u@slow%d.example", host);
		submit_many(address, 10);
	}
	for (int i = 0; i < 5; i++)
		run();
	assert_true(scheduler_in_flight(ROUTE_MX) >= 2 * 150);
	assert_true(scheduler_in_flight(ROUTE_MX) <= SCHEDULER_REMOTE + 150);
	for (int host = 0; host < 150; host++) {
		snprintf(address, sizeof(address), "mx:slow%d.example", host);
		assert_true(open_deliveries(address) >= 1);
		assert_true(open_deliveries(address) <= 5);
	}
	submit_one("u@fresh.example");
	run();
	assert_int_equal(open_deliveries("mx:fresh.example"), 1);
}

static void
test_more_destinations_than_fit_in_memory(void **state)
{
	enum { HOSTS = SCHEDULER_ACTIVE + 1000 };
	unsigned int rounds = 0, done = 0;
	char address[64];

	(void)state;
	for (int host = 0; host < HOSTS; host++) {
		snprintf(address, sizeof(address), "u@h%d.example", host);
		submit_one(address);
		if (host % 1000 == 999)
			commit_run();
	}
	commit_run();
	assert_int_equal(house_count(&house, STORE_DESTINATION), HOSTS);
	while (done < HOSTS) {
		assert_true(scheduler_active() <= SCHEDULER_ACTIVE + 2);
		assert_true(
		    house.destinations.count <= SCHEDULER_ACTIVE + 2 + 1024);
		assert_true(++rounds < 1000);
		scheduler_dispatch();
		for (; done < given_count; done++)
			report(&given[done], REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT);
		commit_run();
	}
	assert_int_equal(given_count, HOSTS);
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
	run_all();
	assert_true(house.destinations.count <= 1024);
}

static void
test_recipients_of_one_message_travel_together(void **state)
{
	const char *addresses[251];
	char texts[250][32];

	(void)state;
	for (int i = 0; i < 250; i++) {
		snprintf(texts[i], sizeof(texts[i]), "u%d@example.com", i);
		addresses[i] = texts[i];
	}
	addresses[250] = NULL;
	submit(addresses);
	submit_one("other@example.com");
	run();
	assert_int_equal(given_count, 4);
	assert_int_equal(given[0].count, DELIVERY_RECIPIENTS);
	assert_int_equal(given[1].count, DELIVERY_RECIPIENTS);
	assert_int_equal(given[2].count, 50);
	assert_int_equal(given[3].count, 1);
}

static void
test_local_mail_goes_one_by_one_and_many_at_once(void **state)
{
	const char *const both[] = { "alice@local.test", "bob@local.test",
		NULL };

	(void)state;
	submit(both);
	submit_many("alice@local.test", 200);
	run();
	assert_int_equal(
	    open_deliveries("local:alice"), SCHEDULER_WINDOW_LOCAL);
	assert_int_equal(open_deliveries("local:bob"), 1);
	for (unsigned int i = 0; i < given_count; i++)
		assert_int_equal(given[i].count, 1);
}

static void
test_what_a_dead_agent_had_is_given_out_again(void **state)
{
	(void)state;
	submit_many("alice@local.test", 3);
	run();
	assert_int_equal(given_count, 3);
	report(&given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	lose(&given[1]);
	lose(&given[2]);
	run();
	assert_int_equal(given_count, 3); /* not at once */
	wait_ms(1200);
	run();
	assert_int_equal(given_count, 5);
	report(&given[3], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	report(&given[4], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	run();
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
	assert_int_equal(stats.deferred, 0);
}

static void
test_a_message_that_kills_agents_waits(void **state)
{
	struct row_recipient row;
	uint64_t poison = submit_one("alice@local.test");

	(void)state;
	run();
	for (unsigned int death = 0; death < 3; death++) {
		assert_int_equal(given_count, death + 1);
		lose(&given[death]);
		wait_ms(1200);
		run();
	}
	assert_int_equal(given_count, 3);
	assert_true(house_recipient(&house, poison, 0, &row));
	assert_int_equal(row.attempts, 1);
	assert_true(row.due > house_now / 1000);
	/* Others of the same user are not held up. */
	submit_one("alice@local.test");
	run();
	assert_int_equal(given_count, 4);
	assert_int_not_equal(given[3].id, poison);
}

static void
test_a_user_that_is_no_more(void **state)
{
	(void)state;
	submit_many("alice@local.test", 3);
	agent = AGENT_REFUSED;
	refusal = (struct lifecycle_report){
		.outcome = REPORT_FAILED,
		.scope = REPORT_SCOPE_RECIPIENT,
		.host = "",
		.reply = "5.1.1 no such user",
	};
	run_all();
	commit_run();
	assert_int_equal(given_count, 0);
	assert_int_equal(house.lifecycle.totals.failed, 3);
	assert_int_equal(house.lifecycle.totals.waiting, 0);
}

static void
test_no_worker_now(void **state)
{
	struct row_destination d;

	(void)state;
	submit_many("alice@local.test", 3);
	agent = AGENT_REFUSED;
	refusal = (struct lifecycle_report){
		.outcome = REPORT_DEFERRED,
		.scope = REPORT_SCOPE_DESTINATION,
		.host = "",
		.reply = "4.3.0 no worker",
	};
	run_all();
	commit_run();
	run();
	assert_int_equal(given_count, 0);
	assert_true(house_destination(&house, "local:alice", &d));
	assert_int_equal(d.waiting, 3);
	assert_int_equal(d.failures, 1);
	/* One report spoke for all. */
	assert_int_equal(stats.deferred, 1);
	agent = AGENT_READY;
	house_now = d.backoff_until * 1000;
	scheduler_wake();
	run();
	assert_int_equal(given_count, 1);
}

static void
test_the_worker_comes_later(void **state)
{
	(void)state;
	submit_one("alice@local.test");
	submit_one("bob@local.test");
	agent = AGENT_COMING;
	run();
	run();
	assert_int_equal(given_count, 0);
	agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MAILBOX, "local:bob");
	run();
	assert_int_equal(given_count, 1);
	assert_string_equal(given[0].destination->name, "local:bob");
	scheduler_agent_ready(ROUTE_MAILBOX, "local:alice");
	run();
	assert_int_equal(given_count, 2);
}

static void
test_after_a_crash_everything_is_due(void **state)
{
	unsigned int before;

	(void)state;
	submit_many("u@example.com", 10);
	submit_one("alice@local.test");
	run();
	before = given_count;
	assert_int_equal(before, SCHEDULER_WINDOW_FIRST + 1);
	report(&given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	commit_run();
	/* The process dies with the others in flight. */
	for (unsigned int i = 1; i < before; i++) {
		given[i].open = false;
		for (unsigned int n = 0; n < given[i].count; n++)
			flight_free(&given[i].flights[n]);
	}
	scheduler_stop();
	content_cache_clear();
	house_crash(&house);
	house_is_sound(&house);
	start();
	run();
	assert_int_equal(given_count, before); /* nobody looked yet */
	scheduler_wake();
	run();
	assert_int_equal(
	    open_deliveries("mx:example.com"), SCHEDULER_WINDOW_FIRST);
	assert_int_equal(open_deliveries("local:alice"), 1);
}

static void
test_truncated_content_is_never_served(void **state)
{
	struct row_recipient row;
	uint64_t id = submit_one("u@example.com");
	struct row_key key = row_key_number(id, 0);

	(void)state;
	agent = AGENT_COMING;
	run();
	content_cache_clear();
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(store_put(house.store, STORE_CONTENT, &key,
			     "only the beginning", 18),
	    0);
	assert_int_equal(store_write_commit(house.store), 0);
	agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MX, NULL);
	run();
	run();
	assert_int_equal(given_count, 0);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_HELD);
	assert_true(strstr(row.reply, "damaged") != NULL);
	/* Its neighbours are delivered. */
	submit_one("u@example.com");
	run();
	assert_int_equal(given_count, 1);
	assert_true(house_act(&house, CTL_VERB_REMOVE, id, 0));
}

static void
test_a_damaged_recipient_stops_nobody(void **state)
{
	uint64_t id = submit_one("u@example.com");
	struct row_key key = row_key_number(id, 0);

	(void)state;
	submit_one("v@example.com");
	agent = AGENT_COMING;
	run();
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_put(house.store, STORE_RECIPIENT, &key, "rot", 3), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	agent = AGENT_READY;
	scheduler_agent_ready(ROUTE_MX, NULL);
	run();
	run();
	assert_int_equal(given_count, 1);
	assert_int_not_equal(given[0].id, id);
	assert_int_equal(house_count(&house, STORE_DUE), 1);
	/* For the proof at the end, the row is taken out. */
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(store_delete(house.store, STORE_RECIPIENT, &key), 0);
	key = row_key_id(id);
	assert_int_equal(store_delete(house.store, STORE_MESSAGE, &key), 0);
	key = row_key_number(id, 0);
	assert_int_equal(store_delete(house.store, STORE_CONTENT, &key), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	house.lifecycle.totals.messages--;
	house.lifecycle.totals.bytes -= 300;
	house.lifecycle.totals.waiting--;
	report(&given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	commit_run();
	{
		/* It counted as waiting, and nobody can say for whom. */
		struct row_key name = row_key_text("mx:example.com");

		assert_int_equal(store_write_begin(house.store), 0);
		assert_int_equal(
		    store_delete(house.store, STORE_DESTINATION, &name), 0);
		assert_int_equal(store_write_commit(house.store), 0);
	}
}

static void
test_removed_in_flight(void **state)
{
	uint64_t id = submit_one("u@example.com");

	(void)state;
	run();
	assert_int_equal(given_count, 1);
	assert_int_equal(commit_verb(CTL_VERB_REMOVE, id, 0, NULL, NULL), 0);
	run();
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
	report(&given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	run();
	assert_int_equal(house_count(&house, STORE_RECIPIENT), 0);
	assert_int_equal(given_count, 1);
}

static void
test_retry_brings_it_forward(void **state)
{
	uint64_t id = submit_one("u@example.com");

	(void)state;
	run();
	report(&given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	run();
	run();
	assert_int_equal(given_count, 1);
	assert_int_equal(commit_verb(CTL_VERB_RETRY, id, 0, NULL, NULL), 0);
	run();
	assert_int_equal(given_count, 2);
	assert_int_equal(given[1].id, id);
}

/* A new message is tried at once although an older one of the same destination
 * waits for its time, with something in flight or not. */
static void
test_fresh_mail_does_not_wait_for_deferred_mail(void **state)
{
	(void)state;
	submit_many("u@example.com", 2);
	run();
	report(&given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	run();
	submit_one("u@example.com"); /* given[1] is still in flight */
	run();
	assert_int_equal(given_count, 3);
	report(&given[1], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	report(&given[2], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	run();
	submit_one("u@example.com");
	run();
	assert_int_equal(given_count, 4);
}

/* What waits for a dead host expires too, although only a few were tried. */
static void
test_untried_mail_of_a_dead_host_expires(void **state)
{
	unsigned int rounds = 0;

	(void)state;
	submit_many("u@dead.example", 300);
	run();
	house_now += 3 * 86400ULL * 1000;
	submit_many("u@dead.example", 50); /* not to expire with the others */
	while (house.lifecycle.totals.failed < 300) {
		assert_true(++rounds < 200);
		for (unsigned int i = 0; i < given_count; i++)
			if (given[i].open)
				report(&given[i], REPORT_DEFERRED,
				    REPORT_SCOPE_DESTINATION);
		for (int turn = 0; turn < 20; turn++)
			run();
		house_is_sound(&house);
		assert_int_equal(house.lifecycle.totals.waiting +
				     house.lifecycle.totals.failed,
		    350);
		house_now += 2 * 3600ULL * 1000;
		scheduler_wake();
	}
	assert_int_equal(house.lifecycle.totals.failed, 300);
	assert_true(given_count < 60);
	/* Neither before its time nor long after. */
	assert_true(house_now >= 1800000000000 + 5 * 86400ULL * 1000);
	assert_true(house_now <= 1800000000000 + 6 * 86400ULL * 1000);
}

/* The clock was a day ahead and is set right: what was written in the future
 * does not wait for it. */
static void
test_the_clock_is_set_back(void **state)
{
	uint64_t deferred;

	(void)state;
	house_now += 86400 * 1000ULL;
	agent = AGENT_COMING;
	submit_one("fresh@example.com");
	deferred = submit_one("later@other.example");
	run();
	agent = AGENT_READY;
	house_now -= 86400 * 1000ULL;
	scheduler_agent_ready(ROUTE_MX, NULL);
	run();
	assert_int_equal(given_count, 2);
	report(&given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	/* This one is deferred while the clock is ahead once more. */
	house_now += 86400 * 1000ULL;
	report(&given[1], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	run();
	assert_int_equal(given_count, 2);
	house_now -= 86400 * 1000ULL;
	scheduler_wake();
	run();
	assert_int_equal(given_count, 3);
	assert_int_equal(given[2].id, deferred);
}

/* A back-off that was set in the future does not keep a new one from being
 * set: the host is not asked again and again until that time has come. */
static void
test_back_off_after_the_clock_is_set_back(void **state)
{
	(void)state;
	house_now += 86400 * 1000ULL;
	submit_one("u@example.com");
	run();
	report(&given[0], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	run();
	house_now -= 86400 * 1000ULL;
	scheduler_wake();
	run();
	assert_int_equal(given_count, 2);
	report(&given[1], REPORT_DEFERRED, REPORT_SCOPE_DESTINATION);
	for (int turn = 0; turn < 5; turn++)
		run();
	assert_int_equal(given_count, 2);
	house_now += 3600 * 1000ULL;
	scheduler_wake();
	run();
	assert_int_equal(given_count, 3);
}

/* Also what waits for its time in memory, since its neighbour is in flight. */
static void
test_the_clock_is_set_back_while_one_is_busy(void **state)
{
	(void)state;
	house_now += 86400 * 1000ULL;
	submit_one("u@example.com");
	submit_one("v@example.com");
	run();
	assert_int_equal(given_count, 2);
	report(&given[0], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	run();
	assert_int_equal(given_count, 2);
	house_now -= 86400 * 1000ULL;
	wait_ms(300);
	run();
	assert_int_equal(given_count, 3);
}

/* -- Many that hang ------------------------------------------------------- */

/* One message for each of so many hosts; all are considered. */
static void
submit_to_hosts(const char *name, unsigned int hosts)
{
	char address[64];

	for (unsigned int host = 0; host < hosts; host++) {
		snprintf(
		    address, sizeof(address), "u@%s%u.example", name, host);
		submit_one(address);
		if (host % 1000 == 999)
			run();
	}
	for (int turn = 0; turn < 30; turn++)
		run();
}

static void
test_local_mail_does_not_wait_for_remote_hosts(void **state)
{
	(void)state;
	submit_to_hosts("hangs", SCHEDULER_ACTIVE + 500);
	submit_one("alice@local.test");
	run();
	assert_int_equal(open_deliveries("local:alice"), 1);
}

static void
test_a_sound_host_does_not_wait_for_new_ones(void **state)
{
	(void)state;
	submit_one("u@sound.example");
	run();
	report(&given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	run();
	/* It is remembered, however many users and hosts come after it. */
	for (unsigned int i = 0; i < SCHEDULER_IDLE_MOST + 100; i++) {
		char address[64];

		snprintf(address, sizeof(address), "user%u@local.test", i);
		submit_one(address);
		run();
		report(&given[given_count - 1], REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT);
		run();
	}
	submit_to_hosts("hangs", SCHEDULER_ACTIVE + 2500);
	submit_many("u@sound.example", 10);
	run();
	/* Nor is it confined to one at a time. */
	assert_true(open_deliveries("mx:sound.example") >= 5);
}

/* Nor if its mail was deferred, and its time comes now. */
static void
test_a_sound_host_s_deferred_mail_comes_in_time(void **state)
{
	(void)state;
	submit_many("u@sound.example", 2);
	run();
	report(&given[0], REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT);
	report(&given[1], REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT);
	run();
	submit_to_hosts("hangs", SCHEDULER_ACTIVE + 500);
	house_now += 400 * 1000;
	scheduler_wake();
	run();
	assert_int_equal(open_deliveries("mx:sound.example"), 1);
}

static void
test_a_new_host_does_not_wait_for_failed_ones(void **state)
{
	enum { HOSTS = SCHEDULER_ACTIVE + 500 };
	unsigned int failed = 0;

	(void)state;
	submit_to_hosts("fails", HOSTS);
	while (failed < HOSTS) {
		unsigned int before = failed;

		for (unsigned int i = failed; i < given_count; i++, failed++)
			report(&given[i], REPORT_DEFERRED,
			    REPORT_SCOPE_DESTINATION);
		run();
		assert_true(failed > before);
	}
	/* All are tried again, and hang. */
	house_now += 400 * 1000;
	scheduler_wake();
	for (int turn = 0; turn < 30; turn++)
		run();
	assert_true(scheduler_in_flight(ROUTE_MX) >= 100);
	submit_one("u@new.example");
	run();
	assert_int_equal(open_deliveries("mx:new.example"), 1);
	/* And they do not starve either. */
	for (unsigned int i = HOSTS; i < given_count; i++)
		if (given[i].open)
			report(&given[i], REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT);
	for (int turn = 0; turn < 60; turn++) {
		run();
		for (unsigned int i = HOSTS; i < given_count; i++)
			if (given[i].open)
				report(&given[i], REPORT_DELIVERED,
				    REPORT_SCOPE_RECIPIENT);
	}
	run();
	assert_int_equal(house_count(&house, STORE_RECIPIENT), 0);
}

/* Whoever was told of a free slot and has no use for it passes it on. */
static void
test_a_free_slot_is_passed_on(void **state)
{
	uint64_t first;

	(void)state;
	agent = AGENT_FULL;
	first = submit_one("u@a.example");
	submit_one("u@b.example");
	run();
	assert_int_equal(commit_verb(CTL_VERB_REMOVE, first, 0, NULL, NULL), 0);
	run();
	agent = AGENT_READY;
	scheduler_slot_free(ROUTE_MX);
	run();
	assert_int_equal(open_deliveries("mx:b.example"), 1);
}

#ifndef __SANITIZE_ADDRESS__
/* There is no memory to note a refusal: that is tried again. */
static void
test_a_refusal_that_cannot_be_noted(void **state)
{
	static char reply[64 * 1024 * 1024];
	struct rlimit old, tight;

	(void)state;
	memset(reply, 'x', sizeof(reply) - 1);
	submit_one("alice@local.test");
	commit_run();
	agent = AGENT_REFUSED;
	refusal = (struct lifecycle_report){
		.outcome = REPORT_DEFERRED,
		.scope = REPORT_SCOPE_DESTINATION,
		.host = "",
		.reply = reply,
	};
	assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
	tight = old;
	tight.rlim_cur = memory_in_use() + sizeof(reply) / 2;
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	scheduler_dispatch();
	assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
	assert_true(commit_is_empty());
	agent = AGENT_READY;
	wait_ms(1300);
	run();
	assert_int_equal(open_deliveries("local:alice"), 1);
}
#endif

/* Nobody has been answered since. */
static void
restart_with_damage(const char *destination)
{
	struct row_key key = row_key_text(destination);

	scheduler_stop();
	house_crash(&house);
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_put(house.store, STORE_DESTINATION, &key, "damage", 6), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	start();
	agent = AGENT_READY;
	answers_250 = 0;
}

/* One damaged row of a destination is in nobody's way. */
static void
test_a_damaged_destination(void **state)
{
	uint64_t held;

	(void)state;
	agent = AGENT_COMING;
	submit_many("u@a.example", 2);
	held = submit_one("u@a.example");
	submit_many("u@b.example", 2);
	run();
	assert_int_equal(commit_verb(CTL_VERB_HOLD, held, 0, NULL, NULL), 0);
	run();
	restart_with_damage("mx:a.example");
	scheduler_wake();
	run();
	assert_int_equal(open_deliveries("mx:a.example"), 2);
	assert_int_equal(open_deliveries("mx:b.example"), 2);
	submit_one("u@a.example");
	submit_one("u@c.example");
	run();
	assert_int_equal(answers_250, 2);
	assert_int_equal(open_deliveries("mx:a.example"), 3);
	assert_int_equal(open_deliveries("mx:c.example"), 1);
	house_is_sound(&house);
}

/* The same, but it is new mail that comes upon it. */
static void
test_new_mail_for_a_damaged_destination(void **state)
{
	(void)state;
	agent = AGENT_COMING;
	submit_many("u@a.example", 2);
	run();
	restart_with_damage("mx:a.example");
	submit_one("u@a.example");
	submit_one("u@b.example");
	run();
	assert_int_equal(answers_250, 2);
	assert_int_equal(open_deliveries("mx:a.example"), 3);
	assert_int_equal(open_deliveries("mx:b.example"), 1);
	house_is_sound(&house);
}

/* Nor is a damaged key of the schedule, before all of a destination's places or
 * just behind them. */
static void
test_a_damaged_place_in_the_due_index(void **state)
{
	static const struct row_place first = { 1, 0, 0 };
	struct row_key keys[] = {
		row_key_due("mx:a.example", &first),
		row_key_text("mx:a.example\001"),
	};

	(void)state;
	keys[0].length -= 12; /* the id and the number are lost */
	agent = AGENT_COMING;
	submit_many("u@a.example", 2);
	submit_many("u@b.example", 2);
	run();
	scheduler_stop();
	house_crash(&house);
	assert_int_equal(store_write_begin(house.store), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(
		    store_put(house.store, STORE_DUE, &keys[i], "", 0), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	start();
	agent = AGENT_READY;
	answers_250 = 0;
	scheduler_wake();
	run();
	assert_int_equal(open_deliveries("mx:a.example"), 2);
	assert_int_equal(open_deliveries("mx:b.example"), 2);
	submit_one("u@a.example");
	submit_one("u@b.example");
	run();
	assert_int_equal(answers_250, 2);
	assert_int_equal(open_deliveries("mx:a.example"), 3);
	assert_int_equal(open_deliveries("mx:b.example"), 3);
	assert_int_equal(store_write_begin(house.store), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(
		    store_delete(house.store, STORE_DUE, &keys[i]), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	house_is_sound(&house);
}

/* What the scheduler itself reports fills no batch beyond its bound. */
static void
test_a_turn_is_bounded(void **state)
{
	enum { MESSAGES = 30, RECIPIENTS = DELIVERY_RECIPIENTS };
	static char address[RECIPIENTS][64];
	const char *list[RECIPIENTS + 1] = { NULL };
	uint64_t before;

	(void)state;
	for (int message = 0; message < MESSAGES; message++) {
		for (int i = 0; i < RECIPIENTS; i++) {
			snprintf(address[i], sizeof(address[i]),
			    "u%d@d%d.example", i, message);
			list[i] = address[i];
		}
		submit(list);
	}
	commit_run();
	agent = AGENT_REFUSED;
	refusal = (struct lifecycle_report){
		.outcome = REPORT_FAILED,
		.scope = REPORT_SCOPE_RECIPIENT,
		.host = "",
		.reply = "5.4.4 no such relay",
	};
	before = stats.commit_operations;
	scheduler_dispatch();
	commit_run();
	assert_true(stats.commit_operations - before >= 1024);
	assert_true(stats.commit_operations - before <= 1024 + RECIPIENTS);
	run_all();
	assert_int_equal(house.lifecycle.totals.failed, MESSAGES * RECIPIENTS);
}

static void
test_paused_nothing_is_given_out(void **state)
{
	(void)state;
	scheduler_pause(true);
	submit_one("u@example.com");
	run();
	assert_int_equal(answers_250, 1);
	assert_int_equal(given_count, 0);
	scheduler_pause(false);
	run();
	assert_int_equal(given_count, 1);
}

/* Thousands of random steps with everything that can happen. */
static void
test_a_random_life(void **state)
{
	static const char *const to[] = { "u@a.example", "u@b.example",
		"u@c.example", "alice@local.test", "bob@local.test" };
	unsigned int seed = 815;

	(void)state;
	for (int step = 0; step < 4000; step++) {
		unsigned int what = (unsigned int)rand_r(&seed) % 10;

		house_now += (uint64_t)(rand_r(&seed) % 20000);
		agent = rand_r(&seed) % 4 == 0 ? AGENT_COMING : AGENT_READY;
		if (agent == AGENT_READY)
			scheduler_agent_ready(
			    rand_r(&seed) % 2 == 0 ? ROUTE_MX : ROUTE_MAILBOX,
			    NULL);
		if (what < 3 && given_count < MOST_DELIVERIES - 1000)
			submit_one(to[(size_t)rand_r(&seed) % COUNT(to)]);
		else if (given_count > 0) {
			struct given *g =
			    &given[(unsigned int)rand_r(&seed) % given_count];

			if (g->open)
				report(g,
				    (enum report_outcome)(
					rand_r(&seed) % REPORT_OUTCOMES),
				    (enum report_scope)(
					rand_r(&seed) % REPORT_SCOPES));
		}
		if (what == 9)
			scheduler_wake();
		run();
		if (step % 200 == 0)
			house_is_sound(&house);
	}
	/* In the end everything goes or has failed for good. */
	agent = AGENT_READY;
	for (int round = 0; round < 5000 && house.lifecycle.totals.waiting > 0;
	     round++) {
		scheduler_agent_ready(ROUTE_MX, NULL);
		scheduler_agent_ready(ROUTE_MAILBOX, NULL);
		house_now += 3600 * 1000ULL;
		scheduler_wake();
		run();
		for (unsigned int i = 0; i < given_count; i++)
			if (given[i].open)
				report(&given[i], REPORT_DELIVERED,
				    REPORT_SCOPE_RECIPIENT);
		run();
	}
	assert_int_equal(house.lifecycle.totals.waiting, 0);
	assert_int_equal(house_count(&house, STORE_WAKE), 0);
}

static int
clear_stats(void **state)
{
	memset(&stats, 0, sizeof(stats));
	return set_up(state);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, clear_stats, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_two_commits_and_no_look_at_the_store),
		TEST(test_the_window_grows_and_halves),
		TEST(test_a_newcomer_does_not_wait_for_a_long_queue),
		TEST(test_destinations_take_turns),
		TEST(test_slow_hosts_do_not_take_all_agents),
		TEST(test_more_destinations_than_fit_in_memory),
		TEST(test_recipients_of_one_message_travel_together),
		TEST(test_local_mail_goes_one_by_one_and_many_at_once),
		TEST(test_what_a_dead_agent_had_is_given_out_again),
		TEST(test_a_message_that_kills_agents_waits),
		TEST(test_a_user_that_is_no_more),
		TEST(test_no_worker_now),
		TEST(test_the_worker_comes_later),
		TEST(test_after_a_crash_everything_is_due),
		TEST(test_truncated_content_is_never_served),
		TEST(test_a_damaged_recipient_stops_nobody),
		TEST(test_removed_in_flight),
		TEST(test_retry_brings_it_forward),
		TEST(test_fresh_mail_does_not_wait_for_deferred_mail),
		TEST(test_untried_mail_of_a_dead_host_expires),
		TEST(test_the_clock_is_set_back),
		TEST(test_back_off_after_the_clock_is_set_back),
		TEST(test_the_clock_is_set_back_while_one_is_busy),
		TEST(test_local_mail_does_not_wait_for_remote_hosts),
		TEST(test_a_sound_host_does_not_wait_for_new_ones),
		TEST(test_a_sound_host_s_deferred_mail_comes_in_time),
		TEST(test_a_new_host_does_not_wait_for_failed_ones),
		TEST(test_a_free_slot_is_passed_on),
#ifndef __SANITIZE_ADDRESS__
		TEST(test_a_refusal_that_cannot_be_noted),
#endif
		TEST(test_a_damaged_destination),
		TEST(test_new_mail_for_a_damaged_destination),
		TEST(test_a_damaged_place_in_the_due_index),
		TEST(test_a_turn_is_bounded),
		TEST(test_paused_nothing_is_given_out),
		TEST(test_a_random_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
