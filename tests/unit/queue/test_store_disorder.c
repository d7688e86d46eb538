/*
 * Rows that lie out of order in the pages, as one bit in a key leaves them: they
 * end no walk too early, and lead none back to where it began.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "queue/store_check.h"
#include "queue/store_event.h"
#include "tests/unit/queue/test.h"

/* Several pages of them, and more than one slice of a check. */
#define MESSAGES 300
/* Rows that no search finds, since they share a page with one out of order. */
#define BESIDE 12
/* A search and a walk need no time; who goes round needs all of it. */
#define PATIENCE_S 60

static struct house house;
static uint64_t ids[MESSAGES];
static unsigned int faults;

static int
set_up(void **state)
{
	(void)state;
	house_open(&house, 64 * MIB);
	alarm(PATIENCE_S);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	alarm(0);
	house_close(&house);
	return 0;
}

static void
fill(bool deliver)
{
	static const char *const one[] = { "u@example.com", NULL };
	struct lifecycle_result result;

	for (unsigned int i = 0; i < MESSAGES; i++) {
		house_now += 1000;
		ids[i] = house_accept(&house, 10, one);
		if (deliver)
			house_report(&house, ids[i], 0, REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT, &result);
	}
}

/* Gives all rows whose keys begin like this another beginning, where they lie.
 */
static void
replace(const struct row_key *key, const struct row_key *by)
{
	const uint8_t length[2] = { (uint8_t)key->length, 0 };
	unsigned int found = 0;
	char path[128];
	struct stat st;
	uint8_t *data;
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", house.directory);
	fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	for (off_t at = 0; at + 2 + (off_t)key->length <= st.st_size; at++)
		if (memcmp(data + at, length, 2) == 0 &&
		    memcmp(data + at + 2, key->octets, key->length) == 0) {
			memcpy(data + at + 2, by->octets, by->length);
			found++;
		}
	munmap(data, (size_t)st.st_size);
	close(fd);
	assert_true(found > 0);
	house_crash(&house);
}

static void
move_key(const struct row_key *key, uint64_t to)
{
	struct row_key id = row_key_id(to);

	replace(key, &id);
}

static void
count_fault(const struct store_fault *f, void *context)
{
	(void)f;
	(void)context;
	faults++;
}

static void
check(void)
{
	struct row_totals totals;

	faults = 0;
	assert_true(house_faults(&house, count_fault, NULL, &totals) > 0);
}

/* Wherever it leads, before, between, and behind the others. */
static uint64_t
elsewhere(unsigned int which, unsigned int from)
{
	switch (which) {
	case 0:
		return ids[0] - 7;
	case 1:
		return ids[from - 20] + 7;
	case 2:
		return ids[from + 20] + 7;
	default:
		return ids[MESSAGES - 1] + (UINT64_C(1) << 50);
	}
}

/* All but for what cannot be found. */
static void
forget_all(void)
{
	struct store_event_purge purge = { 0 };
	unsigned int turns = 0;
	int forgotten = 1;

	while (forgotten > 0 || purge.after != 0) {
		assert_int_equal(store_write_begin(house.store), 0);
		forgotten = store_event_purge(
		    house.store, &purge, house_now / 1000 + 1, 100);
		assert_int_not_equal(forgotten, -1);
		assert_int_equal(store_write_commit(house.store), 0);
		assert_true(++turns < MESSAGES);
	}
}

static void
test_a_history_out_of_order_keeps_no_other(void **state)
{
	for (unsigned int which = 0; which < 4; which++) {
		/* Each place of a page. */
		for (unsigned int victim = 140; victim < 170; victim++) {
			struct row_key key;

			fill(true);
			key = row_key_number(ids[victim], 0);
			move_key(&key, elsewhere(which, victim));
			forget_all();
			assert_true(house_count(&house, STORE_EVENT) <= BESIDE);
			tear_down(state);
			set_up(state);
		}
	}
}

/* The content of all others is looked at, and that comes to an end. */
static void
test_a_message_out_of_order_ends_no_check(void **state)
{
	for (unsigned int which = 0; which < 4; which++) {
		/* About where a slice ends. */
		for (unsigned int victim = 250; victim < 260; victim++) {
			struct row_key key;

			fill(false);
			key = row_key_id(ids[victim]);
			move_key(&key, elsewhere(which, victim));
			check();
			tear_down(state);
			set_up(state);
		}
	}
}

static void
test_keys_that_are_none_end_no_check(void **state)
{
	(void)state;
	fill(false);
	assert_int_equal(store_write_begin(house.store), 0);
	for (unsigned int i = 0; i < MESSAGES; i++) {
		struct row_key key = row_key_id(ids[10]);

		key.octets[key.length++] = (uint8_t)(i / 256);
		key.octets[key.length++] = (uint8_t)i;
		assert_int_equal(
		    store_put(house.store, STORE_MESSAGE, &key, "rot", 3), 0);
	}
	assert_int_equal(store_write_commit(house.store), 0);
	check();
	assert_true(faults >= MESSAGES);
}

/* What is lost behind a message out of order is told all the same. */
static void
test_content_behind_it_is_looked_at(void **state)
{
	struct row_key key;
	unsigned int before;

	(void)state;
	fill(false);
	key = row_key_id(ids[200]);
	move_key(&key, elsewhere(3, 200));
	check();
	before = faults;
	key = row_key_number(ids[290], 0);
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_put(house.store, STORE_CONTENT, &key, "changed it", 10), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	check();
	assert_int_equal(faults, before + 1);
}

static struct row_key
due_key_of(uint64_t id, uint64_t earlier)
{
	struct row_recipient row;
	struct row_place place = { 0, id, 0 };

	assert_true(house_recipient(&house, id, 0, &row));
	place.time = row.due - earlier;
	return row_key_due("mx:example.com", &place);
}

static void
set_aside(const struct row_key *key)
{
	struct row_totals before = house.lifecycle.totals;
	struct lifecycle_result result;
	struct row_place place;
	const char *destination;

	assert_int_equal(
	    row_key_due_read(key->octets, key->length, &destination, &place),
	    0);
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(lifecycle_set_aside(&house.lifecycle, destination,
			     &place, "odd", house_now, &result),
	    0);
	free(result.line);
	assert_false(result.stays);
	assert_int_equal(destinations_flush(&house.destinations, house.store,
			     house_now / 1000),
	    0);
	assert_int_equal(lifecycle_write_totals(&house.lifecycle, &before), 0);
	assert_int_equal(store_write_commit(house.store), 0);
}

static bool
is_met(const struct row_key *wanted)
{
	struct row_key from = { .length = 1 };
	struct bytes key, value;
	int found;
	bool met = false;

	assert_int_equal(store_read_begin(house.store), 0);
	found = store_seek(house.store, STORE_DUE, &from, &key, &value);
	for (; found == 0 && !met;
	     found = store_next(house.store, STORE_DUE, &key, &value))
		met = key.length == wanted->length &&
		      memcmp(key.data, wanted->octets, key.length) == 0;
	store_read_end(house.store);
	return met;
}

/* Whoever takes what is due goes from row to row, and would meet it for ever.
 */
static void
test_what_is_due_out_of_order_is_set_aside(void **state)
{
	for (unsigned int victim = 140; victim < 170; victim++) {
		struct row_key key, moved;

		fill(false);
		key = due_key_of(ids[victim], 0);
		moved = due_key_of(ids[victim], 3600);
		replace(&key, &moved);
		assert_true(is_met(&moved));
		set_aside(&moved);
		assert_false(is_met(&moved));
		tear_down(state);
		set_up(state);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_history_out_of_order_keeps_no_other),
		TEST(test_a_message_out_of_order_ends_no_check),
		TEST(test_keys_that_are_none_end_no_check),
		TEST(test_content_behind_it_is_looked_at),
		TEST(test_what_is_due_out_of_order_is_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
