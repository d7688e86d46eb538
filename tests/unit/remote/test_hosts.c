/* The order of mail hosts, and ourselves among them. */
#include "test.h"

#include <bsd/string.h>

#include "deliver/remote/hosts.h"

struct mx {
	uint16_t preference;
	const char *name;
};

static uint8_t wire[LIMIT_DNS_RECORDS];

static struct bytes
encode(const struct mx *list, size_t count)
{
	struct wire_writer w = { .data = wire, .size = sizeof(wire) };

	for (size_t i = 0; i < count; i++) {
		struct dns_record r = { .preference = list[i].preference };

		strlcpy(r.name, list[i].name, sizeof(r.name));
		assert_true(dns_record_put(&w, DNS_MX, &r));
	}
	return (struct bytes){ wire, w.length };
}

static void
test_sorted(void **unused)
{
	static const struct mx list[] = { { 30, "c.test" }, { 10, "a.test" },
		{ 65535, "z.test" }, { 0, "first.test" }, { 20, "b.test" } };
	static const char *const want[] = { "first.test", "a.test", "b.test",
		"c.test", "z.test" };
	static struct hosts h;

	(void)unused;
	assert_int_equal(hosts_read(&h, encode(list, LENGTH(list))), 0);
	assert_int_equal(h.count, LENGTH(want));
	for (size_t i = 0; i < LENGTH(want); i++)
		assert_string_equal(h.list[i].name, want[i]);
	assert_false(h.null_mx);
	assert_false(h.self);
}

/* Within one preference each host is first about equally often. */
static void
test_random(void **unused)
{
	static const struct mx list[] = { { 10, "a.test" }, { 10, "b.test" },
		{ 10, "c.test" }, { 5, "x.test" } };
	static struct hosts h;
	unsigned int first[3] = { 0 };

	(void)unused;
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(hosts_read(&h, encode(list, 4)), 0);
		assert_string_equal(h.list[0].name, "x.test");
		first[h.list[1].name[0] - 'a']++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(first[i], 800, 1200);
}

static void
test_null_mx(void **unused)
{
	static const struct mx null[] = { { 0, "" } };
	static const struct mx beside[] = { { 0, "" }, { 10, "a.test" } };
	static struct hosts h;

	(void)unused;
	assert_int_equal(hosts_read(&h, encode(null, 1)), 0);
	assert_true(h.null_mx);
	assert_int_equal(h.count, 0);
	assert_int_equal(hosts_read(&h, encode(beside, 2)), 0);
	assert_false(h.null_mx);
	assert_int_equal(h.count, 1);
}

static void
test_best_are_kept(void **unused)
{
	struct mx list[3 * LIMIT_MX];
	char names[3 * LIMIT_MX][16];
	static struct hosts h;

	(void)unused;
	for (unsigned int i = 0; i < LENGTH(list); i++) {
		snprintf(names[i], sizeof(names[i]), "h%u.test", i);
		list[i].name = names[i];
		list[i].preference = (uint16_t)(LENGTH(list) - i);
	}
	assert_int_equal(hosts_read(&h, encode(list, LENGTH(list))), 0);
	assert_int_equal(h.count, LIMIT_MX);
	for (unsigned int i = 0; i < LIMIT_MX; i++)
		assert_int_equal(h.list[i].preference, i + 1);
}

static void
test_broken(void **unused)
{
	static const struct mx list[] = { { 1, "a.test" } };
	static struct hosts h;
	struct bytes b = encode(list, 1);

	(void)unused;
	while (b.length-- > 1)
		assert_int_equal(hosts_read(&h, b), -1);
	assert_int_equal(hosts_read(&h, (struct bytes){ NULL, 0 }), 0);
	assert_int_equal(h.count, 0);
	assert_false(h.null_mx);
}

/* All of equal or worse preference go. */
static void
test_cut(void **unused)
{
	static const struct mx list[] = { { 10, "a.test" }, { 20, "b.test" },
		{ 20, "c.test" }, { 20, "d.test" }, { 30, "e.test" } };
	static const unsigned int left[] = { 0, 1, 1, 1, 4 };
	static struct hosts h;

	(void)unused;
	for (unsigned int i = 0; i < LENGTH(list); i++) {
		assert_int_equal(hosts_read(&h, encode(list, 5)), 0);
		hosts_cut(&h, i);
		assert_int_equal(h.count, left[i]);
		assert_true(h.self);
	}
}

static void
test_groups(void **unused)
{
	static const struct mx list[] = { { 10, "a.test" }, { 20, "b.test" },
		{ 20, "c.test" }, { 30, "e.test" } };
	static struct hosts h;

	(void)unused;
	assert_int_equal(hosts_read(&h, encode(list, 4)), 0);
	assert_int_equal(hosts_group_end(&h, 0), 1);
	assert_int_equal(hosts_group_end(&h, 1), 3);
	assert_int_equal(hosts_group_end(&h, 3), 4);
	assert_int_equal(hosts_group_end(&h, 4), 4);
	hosts_set(&h, "one.test");
	assert_int_equal(h.count, 1);
	assert_int_equal(hosts_group_end(&h, 0), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_null_mx),
		cmocka_unit_test(test_best_are_kept),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
