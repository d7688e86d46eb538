/* From address to address, with a route, connections and a clock of the test's
 * own: what is said in the end, and when. */
#include "test.h"

#include <bsd/string.h>

#include "clock.h"
#include "common/limits.h"
#include "deliver/remote/connection.h"
#include "deliver/remote/delivery.h"
#include "deliver/remote/route.h"

/* -- The route ------------------------------------------------------------- */

struct route {
	void (*ready)(void *);
	void *context;
};

static struct route the_route;
static unsigned int addresses; /* that the route still has */
static bool is_looking_up;
static struct route_verdict verdict;

struct route *
route_to_domain(const char *domain, void (*ready)(void *), void *context)
{
	assert_string_equal(domain, "d.test");
	the_route = (struct route){ ready, context };
	return &the_route;
}

struct route *
route_to_host(
    const char *host, uint16_t port, void (*ready)(void *), void *context)
{
	(void)host;
	(void)port;
	(void)ready;
	(void)context;
	return NULL;
}

void
route_free(struct route **r)
{
	*r = NULL;
}

enum route_step
route_next(struct route *r, struct endpoint *e, const char **host)
{
	(void)r;
	if (is_looking_up)
		return ROUTE_WAIT;
	if (addresses == 0)
		return ROUTE_END;
	addresses--;
	assert_int_equal(endpoint_parse("192.0.2.1", 25, e), 0);
	*host = "mx.test";
	return ROUTE_ADDRESS;
}

void
route_cut(struct route *r)
{
	(void)r;
}

const struct route_verdict *
route_verdict(const struct route *r)
{
	(void)r;
	return &verdict;
}

/* -- The connections --------------------------------------------------------- */

struct connection {
	struct transaction *transaction;
	const struct connection_user *user;
	void *context;
};

static struct connection connection; /* no user: it is not open */
static unsigned int opened;
static bool has_room, has_idle;

struct connection *
connection_take_idle(const char *key)
{
	assert_string_equal(key, "mx:d.test");
	if (!has_idle)
		return NULL;
	has_idle = false;
	return &connection;
}

bool
connection_has_room(void)
{
	return has_room;
}

struct connection *
connection_open(const char *key, enum route_kind kind, const struct endpoint *e,
    const char *host)
{
	assert_string_equal(key, "mx:d.test");
	assert_int_equal(kind, ROUTE_MX);
	(void)e;
	(void)host;
	opened++;
	return &connection;
}

void
connection_send(struct connection *c, struct transaction *t, int content,
    const struct connection_user *user, void *context)
{
	(void)content;
	c->transaction = t;
	c->user = user;
	c->context = context;
}

void
connection_abandon(struct connection **c)
{
	*c = NULL;
}

static const struct endpoint_host mx = {
	.text = "mx.test[192.0.2.1]:25",
	.name = "mx.test",
	.address = "192.0.2.1",
	.port = 25,
};

/* The host ends the connection. */
static void
end(enum session_end_kind kind, const char *words, bool stale)
{
	struct session_end how = { kind, REPORT_SCOPE_DESTINATION, words };
	struct connection c = connection;

	assert_non_null(c.user);
	connection.user = NULL;
	c.user->ended(c.context, &how, &mx, stale);
}

/* -- The message ---------------------------------------------------------------- */

static char reported[LIMIT_REPLY + 64];
static unsigned int reports_delivered;
static uint32_t took;
static char tried[LIMIT_REPLY + 64]; /* the last */
static unsigned int tries;
static bool is_over;

static void
on_report(void *context, uint32_t number, const struct delivery_report *r)
{
	(void)context;
	if (r->outcome == REPORT_DELIVERED) {
		reports_delivered++;
		return;
	}
	assert_int_equal(number, 7);
	assert_string_equal(reported, "");
	snprintf(reported, sizeof(reported), "%s %s %s",
	    report_outcome_name(r->outcome),
	    r->host != NULL ? r->host->text : "", r->reply);
	took = r->took;
}

/* Before the report that decides. */
static void
on_tried(void *context, const struct delivery_report *r)
{
	(void)context;
	assert_string_equal(reported, "");
	snprintf(tried, sizeof(tried), "%s %s", r->host->address, r->reply);
	tries++;
}

static void
on_over(void *context)
{
	(void)context;
	is_over = true;
}

static const struct config config;

static int
set_up(void **unused)
{
	(void)unused;
	clock_ms = 0;
	addresses = 40;
	is_looking_up = false;
	verdict = (struct route_verdict){ REPORT_DEFERRED,
		REPORT_SCOPE_DESTINATION, "" };
	connection.user = NULL;
	opened = 0;
	has_room = true;
	has_idle = false;
	reported[0] = '\0';
	reports_delivered = 0;
	tries = 0;
	is_over = false;
	delivery_init(&config);
	return 0;
}

static void
begin_as(uint64_t id, bool fresh)
{
	static const struct delivery_handler handler = { on_report, on_tried,
		on_over };
	struct transaction *t =
	    transaction_new("s@src.test", SMTP_BODY_7BIT, 3, 1);

	assert_non_null(t);
	assert_int_equal(transaction_add(t, 7, "r@d.test", 0, ""), 0);
	t->fresh = fresh;
	assert_non_null(
	    delivery_new(id, ROUTE_MX, "d.test", t, -1, &handler, NULL));
	delivery_wake();
}

static void
begin(void)
{
	begin_as(1, false);
}

static void
pass(int64_t seconds)
{
	clock_ms += CLOCK_SECONDS(seconds);
}

static void
look_up_ends(void)
{
	is_looking_up = false;
	the_route.ready(the_route.context);
}

#define NO_TIME "deferred  4.4.1 no time left to try the other addresses"

/* Forty hosts that each refuse for good, just before their five minutes are
 * over: that would be more than three hours. */
static void
test_late_refusals(void **unused)
{
	(void)unused;
	begin();
	for (unsigned int i = 0; i < 40 && !is_over; i++) {
		pass(299);
		end(SESSION_END_PERMANENT, "521 no", false);
	}
	assert_true(is_over);
	assert_int_equal(opened, 2);
	assert_string_equal(reported, NO_TIME);
}

static void
test_late_silences(void **unused)
{
	(void)unused;
	begin();
	pass(301);
	end(SESSION_END_LOST, "4.4.2 timed out", false);
	assert_true(is_over);
	assert_int_equal(opened, 1);
	/* what a host has said tells more than that there was no time */
	assert_string_equal(
	    reported, "deferred mx.test[192.0.2.1]:25 4.4.2 timed out");
}

/* With time left all are tried. */
static void
test_early_refusals(void **unused)
{
	(void)unused;
	begin();
	for (unsigned int i = 0; i < 40; i++) {
		assert_false(is_over);
		pass(7);
		end(SESSION_END_PERMANENT, "521 no", false);
	}
	assert_true(is_over);
	assert_int_equal(opened, 40);
	assert_string_equal(reported, "failed mx.test[192.0.2.1]:25 521 no");
	assert_int_equal(took, 7000);
	/* The last one speaks for itself. */
	assert_int_equal(tries, 39);
}

/* Who decides is reported, and everybody else was tried: each once. */
static void
test_tried(void **unused)
{
	(void)unused;
	addresses = 3;
	begin();
	pass(1);
	end(SESSION_END_LOST, "4.4.1 connect: refused", false);
	assert_int_equal(tries, 1);
	assert_string_equal(tried, "192.0.2.1 4.4.1 connect: refused");
	pass(2);
	end(SESSION_END_TEMPORARY, "421 busy", false);
	assert_int_equal(tries, 2);
	pass(3);
	end(SESSION_END_PERMANENT, "521 no", false);
	assert_int_equal(tries, 3);
	assert_string_equal(tried, "192.0.2.1 521 no");
	assert_string_equal(
	    reported, "deferred mx.test[192.0.2.1]:25 421 busy");
	assert_int_equal(took, 2000);
}

/* Nothing was left to try: all have said their last word. */
static void
test_late_last_word(void **unused)
{
	(void)unused;
	addresses = 1;
	begin();
	pass(2000);
	end(SESSION_END_PERMANENT, "521 no", false);
	assert_string_equal(reported, "failed mx.test[192.0.2.1]:25 521 no");
}

/* The look-ups took all the time: one address is tried. */
static void
test_slow_look_up(void **unused)
{
	(void)unused;
	is_looking_up = true;
	begin();
	pass(301);
	look_up_ends();
	assert_int_equal(opened, 1);
	end(SESSION_END_PERMANENT, "521 no", false);
	assert_int_equal(opened, 1);
	assert_string_equal(reported, NO_TIME);
}

/* But no more of them are waited for. */
static void
test_slow_look_ups(void **unused)
{
	(void)unused;
	is_looking_up = true;
	begin();
	pass(299);
	the_route.ready(the_route.context);
	assert_false(is_over);
	pass(2);
	verdict.reason = "4.4.3 DNS query timed out";
	the_route.ready(the_route.context);
	assert_true(is_over);
	assert_string_equal(reported, "deferred  4.4.3 DNS query timed out");
}

/* After a refusal too, whatever the look-ups may still say. */
static void
test_look_up_after_refusal(void **unused)
{
	(void)unused;
	begin();
	is_looking_up = true;
	pass(301);
	end(SESSION_END_PERMANENT, "521 no", false);
	assert_true(is_over);
	assert_string_equal(reported, NO_TIME);
}

/* Waiting for a free connection is not counted. */
static void
test_room(void **unused)
{
	(void)unused;
	has_room = false;
	begin();
	pass(1000);
	has_room = true;
	delivery_wake();
	pass(299);
	end(SESSION_END_PERMANENT, "521 no", false);
	assert_int_equal(opened, 2);
	pass(2);
	end(SESSION_END_PERMANENT, "521 no", false);
	assert_int_equal(opened, 2);
	assert_string_equal(reported, NO_TIME);
}

/* What is fresh does not wait for what is not. */
static void
test_fresh_first(void **unused)
{
	static const bool in_order[] = { true, true, false, false };

	(void)unused;
	has_room = false;
	begin_as(1, false);
	begin_as(2, true);
	begin_as(3, false);
	begin_as(4, true);
	for (unsigned int i = 0; i < 4; i++) {
		has_idle = true;
		delivery_wake();
		assert_int_equal(connection.transaction->fresh, in_order[i]);
		is_over = false;
		connection.transaction->recipients[0].settled = true;
		connection.user->done(connection.context);
		assert_true(is_over);
	}
}

/* A kept connection that turns out to be dead, late: that is counted, and one
 * address is tried all the same. */
static void
test_stale(void **unused)
{
	(void)unused;
	has_idle = true;
	begin();
	assert_int_equal(opened, 0);
	pass(301);
	end(SESSION_END_LOST, "4.4.2 timed out", true);
	assert_int_equal(opened, 1);
	end(SESSION_END_PERMANENT, "521 no", false);
	assert_int_equal(opened, 1);
	assert_string_equal(reported, NO_TIME);
}

/* -- Few recipients at a time ---------------------------------------------- */

/* Up to the one with the number that all reports are about. */
static void
begin_many(unsigned int count)
{
	static const struct delivery_handler handler = { on_report, on_tried,
		on_over };
	struct transaction *t =
	    transaction_new("s@src.test", SMTP_BODY_7BIT, 3, count);

	assert_non_null(t);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(
		    transaction_add(t, 7 + 1 - count + i, "r@d.test", 0, ""),
		    0);
	assert_non_null(
	    delivery_new(1, ROUTE_MX, "d.test", t, -1, &handler, NULL));
	delivery_wake();
}

/* The host takes the first one. */
static void
take_one(void)
{
	struct connection c = connection;

	assert_non_null(c.user);
	connection.user = NULL;
	c.transaction->recipients[0].settled = true;
	c.user->settled(c.context, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT,
	    &mx, "250 ok");
	has_idle = true;
	c.user->done(c.context);
}

/* The rest goes at once, with the same connection. */
static void
test_the_rest_goes_on(void **unused)
{
	(void)unused;
	begin_many(3);
	take_one();
	delivery_wake();
	assert_int_equal(connection.transaction->count, 2);
	take_one();
	delivery_wake();
	assert_false(is_over);
	take_one();
	assert_true(is_over);
	assert_int_equal(reports_delivered, 3);
	assert_int_equal(opened, 1);
}

/* If that is gone, with a new one, from the first address on. */
static void
test_the_rest_goes_on_anew(void **unused)
{
	(void)unused;
	addresses = 1;
	begin_many(2);
	take_one();
	has_idle = false;
	addresses = 1;
	delivery_wake();
	assert_int_equal(opened, 2);
	take_one();
	assert_true(is_over);
	assert_int_equal(reports_delivered, 2);
}

/* All of it has five minutes; the queue's watchdog counts too. */
static void
test_the_rest_has_no_time(void **unused)
{
	(void)unused;
	begin_many(2);
	pass(301);
	take_one();
	delivery_wake();
	assert_true(is_over);
	assert_int_equal(reports_delivered, 1);
	assert_memory_equal(reported, "deferred  4.5.3", 15);
}

/* A host that ends the connection for too many recipients is asked again, with
 * fewer; once. */
static void
test_came_back(void **unused)
{
	(void)unused;
	addresses = 1;
	begin();
	connection.transaction->most = 1;
	connection.transaction->most_is_new = true;
	end(SESSION_END_LOST, "421 too many errors", false);
	assert_false(is_over);
	addresses = 1;
	delivery_wake();
	assert_int_equal(opened, 2);
	connection.transaction->most_is_new = true;
	end(SESSION_END_LOST, "421 too many errors", false);
	assert_true(is_over);
	assert_string_equal(
	    reported, "deferred mx.test[192.0.2.1]:25 421 too many errors");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_late_refusals),
		TEST(test_late_silences),
		TEST(test_early_refusals),
		TEST(test_tried),
		TEST(test_late_last_word),
		TEST(test_slow_look_up),
		TEST(test_slow_look_ups),
		TEST(test_look_up_after_refusal),
		TEST(test_room),
		TEST(test_fresh_first),
		TEST(test_stale),
		TEST(test_the_rest_goes_on),
		TEST(test_the_rest_goes_on_anew),
		TEST(test_the_rest_has_no_time),
		TEST(test_came_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
