#include "common/dns.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/common/unit.h"

static uint8_t buffer[LIMIT_DNS_RECORDS];

static struct wire_reader
written(const struct wire_writer *w)
{
	assert_false(w->failed);
	return (struct wire_reader){ .data = w->data, .size = w->length };
}

static void
records_survive_the_wire(void **state)
{
	static const struct dns_record mx[] = {
		{ .preference = 0, .name = "" }, /* the null MX */
		{ .preference = 10, .name = "mx.example.org" },
		{ .preference = 65535, .name = "_x.example.org" },
	};
	struct wire_writer w = { .data = buffer, .size = sizeof(buffer) };
	struct wire_reader r;
	struct dns_record got;

	(void)state;
	for (size_t i = 0; i < LENGTH(mx); i++)
		assert_true(dns_record_put(&w, DNS_MX, &mx[i]));
	r = written(&w);
	for (size_t i = 0; i < LENGTH(mx); i++) {
		assert_int_equal(dns_record_get(&r, DNS_MX, &got), 1);
		assert_int_equal(got.preference, mx[i].preference);
		assert_string_equal(got.name, mx[i].name);
	}
	assert_int_equal(dns_record_get(&r, DNS_MX, &got), 0);
	assert_int_equal(dns_record_get(&r, DNS_MX, &got), 0);
}

static void
addresses_survive_the_wire(void **state)
{
	struct dns_record four = { .address = { 192, 0, 2, 1 } };
	struct dns_record six = { .address = { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	struct wire_writer w = { .data = buffer, .size = sizeof(buffer) };
	struct wire_reader r;
	struct dns_record got;

	(void)state;
	assert_true(dns_record_put(&w, DNS_A, &four));
	r = written(&w);
	assert_int_equal(dns_record_get(&r, DNS_A, &got), 1);
	assert_memory_equal(got.address, four.address, 16);
	assert_int_equal(dns_record_get(&r, DNS_A, &got), 0);

	w.length = 0;
	assert_true(dns_record_put(&w, DNS_AAAA, &six));
	r = written(&w);
	assert_int_equal(dns_record_get(&r, DNS_AAAA, &got), 1);
	assert_memory_equal(got.address, six.address, 16);

	w.length = 0;
	assert_true(dns_record_put(
	    &w, DNS_PTR, &(struct dns_record){ .name = "host.example.org" }));
	r = written(&w);
	assert_int_equal(dns_record_get(&r, DNS_PTR, &got), 1);
	assert_string_equal(got.name, "host.example.org");
}

/* What does not fit is left out whole, and the rest still reads. */
static void
a_full_answer_is_cut_between_records(void **state)
{
	struct wire_writer w = { .data = buffer, .size = 64 };
	struct dns_record record = { .name = "mx.example.org" }, got;
	struct wire_reader r;
	unsigned int put = 0;

	(void)state;
	while (dns_record_put(&w, DNS_MX, &record))
		put++;
	assert_int_equal(put, 64 / (2 + 2 + 14 + 1));
	r = written(&w);
	for (unsigned int i = 0; i < put; i++)
		assert_int_equal(dns_record_get(&r, DNS_MX, &got), 1);
	assert_int_equal(dns_record_get(&r, DNS_MX, &got), 0);
}

static void
bad_records_are_refused(void **state)
{
	static const struct {
		enum dns_kind kind;
		uint8_t octets[24];
		size_t size;
	} bad[] = {
		{ DNS_MX, { 0 }, 1 },
		{ DNS_MX, { 0, 0, 3, 0, 'a', '.', 'b' }, 7 },
		{ DNS_MX, { 0, 0, 3, 0, 'a', ' ', 'b', 0 }, 8 },
		{ DNS_MX, { 0, 0, 2, 0, 'a', '.', 0 }, 7 },
		{ DNS_MX, { 0, 0, 1, 0, '\n', 0 }, 6 },
		{ DNS_MX, { 0, 0, 1, 0, 0, 0 }, 6 },
		{ DNS_PTR, { 0, 0, 0 }, 3 }, /* no name at all */
		{ DNS_PTR, { 1, 0, '-', 0 }, 4 },
		{ DNS_A, { 3, 0, 1, 2, 3 }, 5 },
		{ DNS_A, { 5, 0, 1, 2, 3, 4, 5 }, 7 },
		{ DNS_A, { 4, 0, 1, 2, 3 }, 5 },
		{ DNS_AAAA, { 4, 0, 1, 2, 3, 4 }, 6 },
		{ DNS_KINDS, { 4, 0, 1, 2, 3, 4 }, 6 },
	};
	struct dns_record got;

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct wire_reader r = { .data = bad[i].octets,
			.size = bad[i].size };

		assert_int_equal(dns_record_get(&r, bad[i].kind, &got), -1);
		/* It stays so: a caller cannot loop for ever. */
		assert_int_equal(dns_record_get(&r, bad[i].kind, &got), -1);
	}
}

/* Only truth is final; whatever smells of trouble is asked again. */
static void
only_answers_are_final(void **state)
{
	static const bool final[DNS_OUTCOMES] = {
		[DNS_FOUND] = true,
		[DNS_NO_DATA] = true,
		[DNS_NO_NAME] = true,
	};

	(void)state;
	for (unsigned int i = 0; i < DNS_OUTCOMES; i++)
		assert_int_equal(
		    dns_outcome_is_final((enum dns_outcome)i), final[i]);
	assert_false(dns_outcome_is_final((enum dns_outcome)200));
}

static void
everything_has_a_name(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < DNS_OUTCOMES; i++)
		assert_string_not_equal(dns_outcome_name(i), "unknown");
	for (unsigned int i = 0; i < DNS_KINDS; i++)
		assert_string_not_equal(dns_kind_name(i), "unknown");
	assert_string_equal(dns_outcome_name(DNS_OUTCOMES), "unknown");
	assert_string_equal(dns_kind_name(255), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_survive_the_wire),
		cmocka_unit_test(addresses_survive_the_wire),
		cmocka_unit_test(a_full_answer_is_cut_between_records),
		cmocka_unit_test(bad_records_are_refused),
		cmocka_unit_test(only_answers_are_final),
		cmocka_unit_test(everything_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
