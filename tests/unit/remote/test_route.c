/* The way to a destination, with a resolver and a "who are we" of the test's
 * own. */
#include "test.h"

#include <bsd/string.h>

#include "common/log.h"
#include "deliver/remote/bad_address.h"
#include "deliver/remote/link_resolver.h"
#include "deliver/remote/route.h"
#include "deliver/remote/self.h"

/* -- what the tests answer ------------------------------------------------ */

struct fact {
	enum dns_kind kind;
	enum dns_outcome outcome;
	const char *name;
	const char *data; /* "10 mx.test, 20 mx2.test" or "192.0.2.1, ..." */
};

struct question {
	enum dns_kind kind;
	char name[LIMIT_DOMAIN + 1];
	question_answered answered;
	void *context;
};

static const struct fact *facts;
static size_t fact_count;
static struct question *asked[2 * LIMIT_MX];
static unsigned int questions, asked_in_all, ready_calls;

struct question *
link_resolver_ask(enum dns_kind kind, const char *name,
    question_answered answered, void *context)
{
	struct question *q = calloc(1, sizeof(*q));

	assert_non_null(q);
	q->kind = kind;
	strlcpy(q->name, name, sizeof(q->name));
	q->answered = answered;
	q->context = context;
	assert_true(questions < LENGTH(asked));
	asked[questions++] = q;
	asked_in_all++;
	return q;
}

static void
forget(struct question *q)
{
	unsigned int i = 0;

	while (asked[i] != q)
		assert_true(++i < questions);
	asked[i] = asked[--questions];
	free(q);
}

void
link_resolver_cancel(struct question **q)
{
	if (*q != NULL)
		forget(*q);
	*q = NULL;
}

bool
self_is_name(const char *name)
{
	return strcmp(name, "self.test") == 0;
}

bool
self_is_endpoint(const struct endpoint *e)
{
	struct endpoint self;

	assert_int_equal(endpoint_parse("192.0.2.99", 25, &self), 0);
	return endpoint_is_equal(e, &self);
}

static size_t
encode(const struct fact *fact, uint8_t *out, size_t size)
{
	struct wire_writer w = { .data = out, .size = size };
	char text[512], *rest = text, *word;

	strlcpy(text, fact->data != NULL ? fact->data : "", sizeof(text));
	while ((word = strsep(&rest, ",")) != NULL) {
		struct dns_record r = { .preference = 0 };
		struct endpoint e;

		word += strspn(word, " ");
		if (*word == '\0')
			continue;
		if (fact->kind == DNS_MX) {
			r.preference = (uint16_t)strtoul(word, &word, 10);
			strlcpy(r.name, word + 1, sizeof(r.name));
			if (strcmp(r.name, ".") == 0)
				r.name[0] = '\0';
		} else {
			assert_int_equal(endpoint_parse(word, 0, &e), 0);
			memcpy(r.address, e.address, sizeof(r.address));
		}
		assert_true(dns_record_put(&w, fact->kind, &r));
	}
	return w.length;
}

/* Answers one question by the facts; there is no such name otherwise. */
static void
answer(struct question *q)
{
	struct question copy = *q;
	struct fact none = { copy.kind, DNS_NO_NAME, copy.name, NULL };
	const struct fact *fact = &none;
	uint8_t records[LIMIT_DNS_RECORDS];

	for (size_t i = 0; i < fact_count; i++)
		if (facts[i].kind == copy.kind &&
		    strcmp(facts[i].name, copy.name) == 0)
			fact = &facts[i];
	forget(q);
	copy.answered(copy.context, copy.kind, fact->outcome,
	    (struct bytes){ records, encode(fact, records, sizeof(records)) },
	    "because");
}

/* -- what the route then gives --------------------------------------------- */

static void
on_ready(void *context)
{
	(void)context;
	ready_calls++;
}

/* All addresses in order, as text; then the verdict. The last question is
 * answered first. */
static void
walk(struct route *r, char *out, size_t size)
{
	struct endpoint e;
	const char *host;
	char text[ENDPOINT_TEXT_SIZE];

	out[0] = '\0';
	for (;;) {
		switch (route_next(r, &e, &host)) {
		case ROUTE_WAIT:
			assert_true(questions > 0);
			ready_calls = 0;
			while (questions > 0)
				answer(asked[questions - 1]);
			assert_int_equal(ready_calls, 1);
			continue;
		case ROUTE_ADDRESS:
			endpoint_format(&e, host, text);
			strlcat(out, text, size);
			strlcat(out, " ", size);
			continue;
		case ROUTE_END:
			break;
		}
		strlcat(
		    out, report_outcome_name(route_verdict(r)->outcome), size);
		strlcat(out, " ", size);
		strlcat(out, route_verdict(r)->reason, size);
		return;
	}
}

static void
expect_walk(struct route *r, const char *want)
{
	char have[4096];

	assert_non_null(r);
	walk(r, have, sizeof(have));
	assert_string_equal(have, want);
	route_free(&r);
	assert_int_equal(questions, 0);
}

static void
check(const struct fact *given, size_t count, const char *domain,
    const char *want)
{
	facts = given;
	fact_count = count;
	expect_walk(route_to_domain(domain, on_ready, NULL), want);
}

#define CHECK(domain, want, ...)                             \
	do {                                                 \
		const struct fact given[] = { __VA_ARGS__ }; \
		check(given, LENGTH(given), domain, want);   \
	} while (0)

static void
test_mx(void **unused)
{
	(void)unused;
	CHECK("d.test",
	    "a.test[2001:db8::1]:25 a.test[192.0.2.1]:25 b.test[192.0.2.2]:25 "
	    "deferred ",
	    { DNS_MX, DNS_FOUND, "d.test", "20 b.test, 10 a.test" },
	    { DNS_A, DNS_FOUND, "a.test", "192.0.2.1" },
	    { DNS_AAAA, DNS_FOUND, "a.test", "2001:db8::1" },
	    { DNS_A, DNS_FOUND, "b.test", "192.0.2.2" },
	    { DNS_AAAA, DNS_NO_DATA, "b.test", NULL });
}

/* Each (question, outcome) that leads to no address. */
static void
test_outcomes(void **unused)
{
	(void)unused;
	CHECK("d.test", "failed 5.1.2 no such domain: d.test",
	    { DNS_MX, DNS_NO_NAME, "d.test", NULL });
	CHECK("d.test",
	    "failed 5.1.10 the domain d.test takes no mail (null MX)",
	    { DNS_MX, DNS_FOUND, "d.test", "0 ." });
	CHECK("d.test",
	    "deferred 4.4.3 DNS server failure: MX of d.test (because)",
	    { DNS_MX, DNS_SERVFAIL, "d.test", NULL });
	CHECK("d.test",
	    "deferred 4.4.3 DNS query refused: MX of d.test (because)",
	    { DNS_MX, DNS_REFUSED, "d.test", NULL });
	CHECK("d.test",
	    "deferred 4.4.3 DNS query timed out: MX of d.test (because)",
	    { DNS_MX, DNS_TIMEOUT, "d.test", NULL });
	CHECK("d.test",
	    "deferred 4.7.5 DNS answer fails DNSSEC: MX of d.test (because)",
	    { DNS_MX, DNS_BOGUS, "d.test", NULL });
	CHECK("d.test",
	    "deferred 4.4.3 no mail host of d.test has a valid name",
	    { DNS_MX, DNS_FOUND, "d.test", "" });
	CHECK("d.test", "failed 5.1.2 the host has no address: d.test",
	    { DNS_MX, DNS_NO_DATA, "d.test", NULL },
	    { DNS_A, DNS_NO_DATA, "d.test", NULL },
	    { DNS_AAAA, DNS_NO_DATA, "d.test", NULL });
	CHECK("d.test", "failed 5.4.4 the mail host has no address: a.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test" });
	CHECK("d.test",
	    "deferred 4.4.3 DNS server failure: A of a.test (because)",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test" },
	    { DNS_A, DNS_SERVFAIL, "a.test", NULL },
	    { DNS_AAAA, DNS_NO_DATA, "a.test", NULL });
	/* what may go better outweighs what is final, whichever came first */
	CHECK("d.test",
	    "deferred 4.4.3 DNS query timed out: A of a.test (because)",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 self.test" },
	    { DNS_A, DNS_TIMEOUT, "a.test", NULL });
	CHECK("d.test",
	    "deferred 4.4.3 DNS query timed out: A of b.test (because)",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test" },
	    { DNS_A, DNS_TIMEOUT, "b.test", NULL });
}

static void
test_implicit(void **unused)
{
	(void)unused;
	CHECK("d.test", "d.test[192.0.2.1]:25 deferred ",
	    { DNS_MX, DNS_NO_DATA, "d.test", NULL },
	    { DNS_A, DNS_FOUND, "d.test", "192.0.2.1" });
	CHECK("self.test", "failed 5.4.6 mail loops back to myself: self.test",
	    { DNS_MX, DNS_NO_DATA, "self.test", NULL },
	    { DNS_A, DNS_FOUND, "self.test", "192.0.2.1" });
}

/* A host without an address is passed over. */
static void
test_unresolvable(void **unused)
{
	(void)unused;
	CHECK("d.test",
	    "b.test[192.0.2.2]:25 failed 5.4.4 the mail host has no "
	    "address: a.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test" },
	    { DNS_A, DNS_FOUND, "b.test", "192.0.2.2" });
}

static void
test_loops(void **unused)
{
	(void)unused;
	CHECK("d.test", "failed 5.4.6 mail loops back to myself: d.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 self.test, 20 b.test" },
	    { DNS_A, DNS_FOUND, "b.test", "192.0.2.2" });
	CHECK("d.test", "failed 5.4.6 mail loops back to myself: d.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test" },
	    { DNS_A, DNS_FOUND, "a.test", "192.0.2.99" },
	    { DNS_A, DNS_FOUND, "b.test", "192.0.2.2" });
	/* of equal preference */
	CHECK("d.test", "failed 5.4.6 mail loops back to myself: d.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 10 b.test" },
	    { DNS_A, DNS_FOUND, "a.test", "192.0.2.99" },
	    { DNS_A, DNS_FOUND, "b.test", "192.0.2.2" });
	/* we are the second best */
	CHECK("d.test",
	    "a.test[192.0.2.1]:25 failed 5.4.6 mail loops back to myself: "
	    "d.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test, 30 c.test" },
	    { DNS_A, DNS_FOUND, "a.test", "192.0.2.1" },
	    { DNS_A, DNS_FOUND, "b.test", "192.0.2.99" },
	    { DNS_A, DNS_FOUND, "c.test", "192.0.2.3" });
	CHECK("[192.0.2.99]",
	    "failed 5.4.6 mail loops back to myself: [192.0.2.99]",
	    { DNS_MX, DNS_NO_DATA, "", NULL });
}

/* The host tells us itself that it is ourselves. */
static void
test_cut(void **unused)
{
	static const struct fact given[] = {
		{ DNS_MX, DNS_FOUND, "d.test",
		    "10 a.test, 20 b.test, 30 c.test" },
		{ DNS_A, DNS_FOUND, "a.test", "192.0.2.1" },
		{ DNS_A, DNS_FOUND, "b.test", "192.0.2.2, 192.0.2.4" },
		{ DNS_A, DNS_FOUND, "c.test", "192.0.2.3" },
	};
	struct route *r;
	struct endpoint e;
	const char *host;

	(void)unused;
	facts = given;
	fact_count = LENGTH(given);
	r = route_to_domain("d.test", on_ready, NULL);
	assert_non_null(r);
	for (int i = 0; i < 2; i++) {
		while (route_next(r, &e, &host) == ROUTE_WAIT)
			while (questions > 0)
				answer(asked[0]);
	}
	assert_string_equal(host, "b.test");
	route_cut(r);
	expect_walk(r, "failed 5.4.6 mail loops back to myself: d.test");
}

/* Strangers' DNS does not lead to what listens on this host or near it; our own
 * configuration may. */
static void
test_loopback(void **unused)
{
	static const struct fact local[] = {
		{ DNS_A, DNS_FOUND, "smart.test", "127.0.0.1" },
	};

	(void)unused;
	CHECK("d.test",
	    "failed 5.4.6 the mail host has an address of ours: d.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test" },
	    { DNS_A, DNS_FOUND, "a.test", "127.0.0.1, 127.0.0.2" });
	CHECK("d.test",
	    "failed 5.4.6 the mail host has an address of ours: d.test",
	    { DNS_MX, DNS_NO_DATA, "d.test", NULL },
	    { DNS_A, DNS_FOUND, "d.test", "127.0.0.1" });
	CHECK("d.test",
	    "a.test[192.0.2.1]:25 "
	    "failed 5.4.6 the mail host has an address of ours: d.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test" },
	    { DNS_A, DNS_FOUND, "a.test", "127.0.0.1, 192.0.2.1" });
	CHECK("d.test",
	    "deferred 4.4.3 DNS server failure: AAAA of a.test (because)",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test" },
	    { DNS_A, DNS_FOUND, "a.test", "127.0.0.1" },
	    { DNS_AAAA, DNS_SERVFAIL, "a.test", NULL });
	expect_walk(route_to_domain("[127.0.0.1]", on_ready, NULL),
	    "failed 5.4.6 the mail host has an address of ours: [127.0.0.1]");
	CHECK("d.test",
	    "failed 5.4.6 the mail host has a link-local or multicast address: "
	    "d.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test" },
	    { DNS_A, DNS_FOUND, "a.test", "169.254.1.2, 255.255.255.255" },
	    { DNS_AAAA, DNS_FOUND, "a.test", "fe80::1, ::ffff:224.0.0.1" },
	    { DNS_A, DNS_FOUND, "b.test", "224.0.0.1" },
	    { DNS_AAAA, DNS_FOUND, "b.test", "ff02::1" });
	/* hosts of worse preference are as good as ever */
	CHECK("d.test",
	    "b.test[192.0.2.2]:25 "
	    "failed 5.4.6 the mail host has a link-local or multicast address: "
	    "d.test",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test" },
	    { DNS_AAAA, DNS_FOUND, "a.test", "fe80::1" },
	    { DNS_A, DNS_FOUND, "b.test", "192.0.2.2" });
	expect_walk(route_to_domain("[IPv6:fe80::1]", on_ready, NULL),
	    "failed 5.4.6 the mail host has a link-local or multicast address: "
	    "[IPv6:fe80::1]");
	expect_walk(route_to_host("169.254.1.2", 2525, on_ready, NULL),
	    "[169.254.1.2]:2525 deferred ");
	facts = local;
	fact_count = LENGTH(local);
	expect_walk(route_to_host("smart.test", 25, on_ready, NULL),
	    "smart.test[127.0.0.1]:25 deferred ");
	expect_walk(route_to_host("127.0.0.1", 2525, on_ready, NULL),
	    "[127.0.0.1]:2525 deferred ");
}

static void
test_relay(void **unused)
{
	static const struct fact given[] = {
		{ DNS_A, DNS_FOUND, "smart.test", "192.0.2.1" },
		{ DNS_MX, DNS_FOUND, "smart.test", "10 other.test" },
	};

	(void)unused;
	facts = given;
	fact_count = LENGTH(given);
	expect_walk(route_to_host("smart.test", 587, on_ready, NULL),
	    "smart.test[192.0.2.1]:587 deferred ");
	expect_walk(route_to_host("192.0.2.1", 2525, on_ready, NULL),
	    "[192.0.2.1]:2525 deferred ");
	expect_walk(route_to_host("2001:db8::1", 2525, on_ready, NULL),
	    "[2001:db8::1]:2525 deferred ");
	/* the configuration can be mended: never a failure */
	expect_walk(route_to_host("gone.test", 587, on_ready, NULL),
	    "deferred 5.1.2 the host has no address: gone.test");
	expect_walk(route_to_host("192.0.2.99", 25, on_ready, NULL),
	    "deferred 5.4.6 mail loops back to myself: 192.0.2.99");
	expect_walk(route_to_host("not a host", 25, on_ready, NULL),
	    "deferred 4.3.5 neither a host name nor an address: not a host");
}

/* What did not answer lately comes last, also behind worse hosts. */
static void
test_bad_last(void **unused)
{
	struct endpoint bad;

	(void)unused;
	assert_int_equal(endpoint_parse("2001:db8::1", 25, &bad), 0);
	bad_address_add(&bad, monotime_now());
	CHECK("d.test",
	    "a.test[192.0.2.1]:25 b.test[192.0.2.2]:25 a.test[2001:db8::1]:25 "
	    "deferred ",
	    { DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test" },
	    { DNS_A, DNS_FOUND, "a.test", "192.0.2.1" },
	    { DNS_AAAA, DNS_FOUND, "a.test", "2001:db8::1" },
	    { DNS_A, DNS_FOUND, "b.test", "192.0.2.2" });
	bad_address_forget(&bad);
}

/* Each address once, and so many at most. */
static void
test_bounds(void **unused)
{
	char many[2048] = "";
	struct fact given[] = {
		{ DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test" },
		{ DNS_A, DNS_FOUND, "a.test", "192.0.2.1, 192.0.2.1" },
		{ DNS_A, DNS_FOUND, "b.test", "192.0.2.1" },
	};
	struct route *r;
	char have[8192];
	unsigned int count = 0;

	(void)unused;
	check(given, LENGTH(given), "d.test", "a.test[192.0.2.1]:25 deferred ");
	for (unsigned int i = 0; i < 30; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
		    "%s192.0.2.%u", i > 0 ? ", " : "", i + 1);
	given[1].data = many;
	given[2].data = "198.51.100.1, 198.51.100.2, 198.51.100.3, "
			"198.51.100.4, 198.51.100.5, 198.51.100.6, "
			"198.51.100.7, 198.51.100.8, 198.51.100.9, "
			"198.51.100.10, 198.51.100.11, 198.51.100.12";
	facts = given;
	fact_count = LENGTH(given);
	r = route_to_domain("d.test", on_ready, NULL);
	walk(r, have, sizeof(have));
	for (char *at = have; (at = strstr(at, "]:25 ")) != NULL; at++)
		count++;
	assert_int_equal(count, LIMIT_MX_ADDRESSES);
	route_free(&r);
}

/* Worse hosts are not looked up before they are needed, and a route that goes
 * away takes its questions with it. */
static void
test_lazy(void **unused)
{
	static const struct fact given[] = {
		{ DNS_MX, DNS_FOUND, "d.test", "10 a.test, 20 b.test" },
		{ DNS_A, DNS_FOUND, "a.test", "192.0.2.1" },
	};
	struct route *r;
	struct endpoint e;
	const char *host;

	(void)unused;
	facts = given;
	fact_count = LENGTH(given);
	asked_in_all = 0;
	r = route_to_domain("d.test", on_ready, NULL);
	assert_int_equal(route_next(r, &e, &host), ROUTE_WAIT);
	answer(asked[0]);
	assert_int_equal(route_next(r, &e, &host), ROUTE_WAIT);
	assert_int_equal(asked_in_all, 3);
	answer(asked[0]);
	assert_int_equal(route_next(r, &e, &host), ROUTE_WAIT);
	answer(asked[0]);
	assert_int_equal(route_next(r, &e, &host), ROUTE_ADDRESS);
	assert_int_equal(asked_in_all, 3);
	assert_int_equal(route_next(r, &e, &host), ROUTE_WAIT);
	assert_int_equal(asked_in_all, 5);
	route_free(&r);
	assert_int_equal(questions, 0);
	r = route_to_domain("d.test", on_ready, NULL);
	route_free(&r);
	assert_int_equal(questions, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mx),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_implicit),
		cmocka_unit_test(test_unresolvable),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_bad_last),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_lazy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
