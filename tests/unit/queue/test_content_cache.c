#include "common/content.h"
#include "queue/content_cache.h"
#include "queue/flight.h"
#include "queue/losses.h"
#include "tests/unit/queue/test.h"

/* What is in memory only: contents, flights, losses. */

static struct house house;

static int
set_up(void **state)
{
	(void)state;
	house_open(&house, 64 * MIB);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	content_cache_clear();
	house_close(&house);
	return 0;
}

/* A content whose size says which it is. */
static int
content(size_t size)
{
	int fd = content_create();

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(content_seal(fd), 0);
	return fd;
}

static bool
has(uint64_t id, size_t size)
{
	int fd;
	bool found;

	assert_int_equal(store_read_begin(house.store), 0);
	fd = content_cache_open(
	    house.store, id, &(struct row_message){ .size = size });
	store_read_end(house.store);
	found = fd != -1;
	if (found) {
		assert_int_equal(lseek(fd, 0, SEEK_END), size);
		close(fd);
	} else
		assert_int_equal(errno, EBADMSG); /* nor in the store */
	return found;
}

static void
test_kept_until_dropped(void **state)
{
	(void)state;
	content_cache_keep(1, 10, content(10));
	content_cache_keep(2, 20, content(20));
	assert_true(has(1, 10));
	assert_true(has(1, 10));
	assert_true(has(2, 20));
	content_cache_drop(1);
	content_cache_drop(1);
	assert_false(has(1, 10));
	assert_true(has(2, 20));
}

static void
test_the_budgets(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= 70; id++)
		content_cache_keep(id, MIB, content(MIB));
	assert_false(has(1, MIB));
	assert_false(has(6, MIB));
	assert_true(has(7, MIB)); /* used: the last to go now */
	content_cache_keep(71, MIB, content(MIB));
	assert_false(has(8, MIB));
	assert_true(has(7, MIB));
	/* Larger than everything together: not kept at all. */
	content_cache_keep(72, 65 * MIB, content(65 * MIB));
	assert_false(has(72, 65 * MIB));
	assert_true(has(7, MIB));
}

static void
test_read_back_from_the_store(void **state)
{
	static const char *const one[] = { "u@example.com", NULL };
	uint64_t id = house_accept(&house, 5000, one);

	(void)state;
	assert_true(has(id, 5000));
	assert_true(has(id, 5000));
	assert_false(has(id + 1, 5000));
}

static void
test_losses(void **state)
{
	(void)state;
	assert_int_equal(losses_add(1, 0), 1);
	assert_int_equal(losses_add(1, 1), 1);
	assert_int_equal(losses_add(1, 0), 2);
	losses_forget(1, 0);
	losses_forget(1, 0);
	assert_int_equal(losses_add(1, 0), 1);
	assert_int_equal(losses_add(1, 1), 2);
	/* The oldest goes when there are too many. */
	for (uint64_t id = 2; id < 2 + LOSSES_KEPT; id++)
		assert_int_equal(losses_add(id, 0), 1);
	assert_int_equal(losses_add(1, 1), 1);
}

static void
test_flights(void **state)
{
	struct destination d = { .name = NULL };
	struct flight *a = flight_new(5, 0, &d), *b = flight_new(5, 9, &d);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(d.lane.flights, 2);
	assert_int_equal(flight_count(), 2);
	assert_true(flight_exists(5, 9));
	assert_false(flight_exists(5, 1));
	assert_true(flight_exists_any(5));
	assert_false(flight_exists_any(4));
	assert_false(flight_exists_any(6));
	flight_free(&a);
	assert_true(flight_exists_any(5));
	flight_free(&b);
	flight_free(&b);
	assert_false(flight_exists_any(5));
	assert_int_equal(d.lane.flights, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_kept_until_dropped),
		TEST(test_the_budgets),
		TEST(test_read_back_from_the_store),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_flights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
