#include "queue/commit.h"
#include "queue/flight.h"
#include "queue/query.h"
#include "tests/unit/queue/test.h"

/* What may be asked about the queue, of a real store. */

static struct house house;

/* What a walk gave. */
static struct {
	uint64_t ids[1000];
	uint32_t numbers[1000];
	char sender[256];
	unsigned int count;
	unsigned int most; /* then `each` says stop */
} seen;

int
commit_verb(enum ctl_verb verb, uint64_t id, uint32_t number, uint32_t uid,
    void (*done)(int result, void *context), void *context)
{
	(void)verb;
	(void)id;
	(void)number;
	(void)uid;
	(void)done;
	(void)context;
	return -1;
}

void
commit_forget_context(const void *context)
{
	(void)context;
}

static int
set_up(void **state)
{
	(void)state;
	house_now = UINT64_C(1800000000000);
	house_open(&house, 64 * MIB);
	query_start(house.store);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	house_close(&house);
	return 0;
}

static bool
note(const struct query_item *item, void *context)
{
	(void)context;
	if (seen.count == seen.most)
		return false;
	seen.ids[seen.count] = item->id;
	seen.numbers[seen.count] = item->number;
	snprintf(seen.sender, sizeof(seen.sender), "%s", item->message->sender);
	seen.count++;
	return true;
}

/* In steps of `step` rows; returns how many steps there were. */
static unsigned int
walk(const struct query_filter *filter, unsigned int step)
{
	struct query_place place = { 0, 0 };
	unsigned int steps = 1;
	int more;

	memset(&seen, 0, sizeof(seen));
	seen.most = COUNT(seen.ids);
	while ((more = query_items(filter, &place, step, note, NULL)) == 1)
		assert_true(++steps < 5000);
	assert_int_equal(more, 0);
	return steps;
}

static unsigned int
matches(struct query_filter filter)
{
	walk(&filter, 100);
	return seen.count;
}

static void
test_a_walk_in_steps_sees_all_once(void **state)
{
	static const char *const two[] = { "a@x.example", "b@y.example", NULL };
	static const struct query_filter all = { .id = 0 };
	uint64_t ids[20];

	(void)state;
	assert_int_equal(walk(&all, 10), 1);
	assert_int_equal(seen.count, 0);
	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = house_accept(&house, 10, two);
	for (unsigned int step = 1; step < 50; step += 7) {
		assert_true(walk(&all, step) >= 40 / step);
		assert_int_equal(seen.count, 2 * COUNT(ids));
		for (unsigned int i = 0; i < seen.count; i++) {
			assert_int_equal(seen.ids[i], ids[i / 2]);
			assert_int_equal(seen.numbers[i], i % 2);
		}
	}
}

/* The row at which `each` stopped is the next one's first. */
static void
test_a_walk_that_is_stopped_goes_on_there(void **state)
{
	static const char *const one[] = { "a@x.example", NULL };
	struct query_filter all = { .id = 0 };
	struct query_place place = { 0, 0 };
	uint64_t ids[5];

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = house_accept(&house, 10, one);
	memset(&seen, 0, sizeof(seen));
	for (seen.most = 1; seen.most < COUNT(ids); seen.most++)
		assert_int_equal(query_items(&all, &place, 100, note, NULL), 1);
	assert_int_equal(query_items(&all, &place, 100, note, NULL), 0);
	assert_int_equal(seen.count, COUNT(ids));
	for (size_t i = 0; i < COUNT(ids); i++)
		assert_int_equal(seen.ids[i], ids[i]);
}

static void
test_what_a_filter_means(void **state)
{
	static const char *const two[] = { "a@x.example", "b@y.example", NULL };
	static const char *const local[] = { "alice@local.test", NULL };
	struct lifecycle_result result;
	uint64_t first = house_accept(&house, 10, two), second;

	(void)state;
	house_now += 100 * 1000;
	second = house_accept(&house, 10, local);
	house_report(
	    &house, first, 1, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(house_act(&house, CTL_VERB_HOLD, second, 0));
	house_now += 10 * 1000;
	assert_int_equal(matches((struct query_filter){ .id = first }), 2);
	assert_int_equal(matches((struct query_filter){ .id = second }), 1);
	assert_int_equal(matches((struct query_filter){ .id = 1 }), 0);
#define MATCHES(field, value) matches((struct query_filter){ .field = (value) })
	assert_int_equal(MATCHES(sender, "SENDER@example.net"), 3);
	assert_int_equal(MATCHES(sender, "@example.net"), 3);
	assert_int_equal(MATCHES(sender, "@ample.net"), 0);
	assert_int_equal(MATCHES(recipient, "A@X.example"), 1);
	assert_int_equal(MATCHES(recipient, "@y.example"), 1);
	assert_int_equal(MATCHES(recipient, "a@x"), 0);
	assert_int_equal(MATCHES(destination, "MX:x.example"), 1);
	assert_int_equal(MATCHES(destination, "mx:x"), 0);
	assert_int_equal(MATCHES(text, "NOT NOW"), 1);
	assert_int_equal(MATCHES(state, RECIPIENT_HELD + 1), 1);
	assert_int_equal(MATCHES(state, RECIPIENT_WAITING + 1), 2);
	assert_int_equal(MATCHES(state, RECIPIENT_FAILED + 1), 0);
	assert_int_equal(MATCHES(age, 10), 3);
	assert_int_equal(MATCHES(age, 11), 2);
	assert_int_equal(MATCHES(age, 111), 0);
	assert_int_equal(MATCHES(size, 10), 3);
	assert_int_equal(MATCHES(size, 11), 0);
#undef MATCHES
}

/* What comes later is not looked at, however much it is. */
static void
test_a_walk_to_what_was_the_newest(void **state)
{
	static const char *const two[] = { "a@x.example", "b@y.example", NULL };
	struct query_filter filter = { .id = 0 };
	struct row_key bad = { .length = 13 };
	uint64_t ids[5], newest;

	(void)state;
	assert_int_equal(query_newest(&newest), -1);
	assert_int_equal(errno, ENOENT);
	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = house_accept(&house, 10, two);
	/* A key that is none, behind all. */
	memset(bad.octets, 0xff, bad.length);
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_put(house.store, STORE_RECIPIENT, &bad, "", 0), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	assert_int_equal(query_newest(&newest), 0);
	assert_int_equal(newest, ids[4]);
	filter.last = ids[2];
	walk(&filter, 100);
	assert_int_equal(seen.count, 6);
	assert_int_equal(seen.ids[5], ids[2]);
	filter.id = ids[3];
	walk(&filter, 100);
	assert_int_equal(seen.count, 0);
}

/* A row whose message is not there is listed; one that cannot be read is not.
 * No id is special, zero neither. */
static void
test_damaged_rows(void **state)
{
	static const char *const one[] = { "a@x.example", NULL };
	struct query_filter all = { .id = 0 };
	struct row_recipient row;
	struct row_key zero = row_key_number(0, 0);
	struct row_key bad = row_key_number(1, 0);
	uint8_t value[ROW_VALUE_SIZE];
	uint64_t id = house_accept(&house, 10, one);
	size_t length;

	(void)state;
	assert_true(house_recipient(&house, id, 0, &row));
	length = row_recipient_encode(&row, value);
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_put(house.store, STORE_RECIPIENT, &zero, value, length), 0);
	assert_int_equal(
	    store_put(house.store, STORE_RECIPIENT, &bad, "damage", 6), 0);
	/* A key that is none. */
	bad = (struct row_key){ .length = 3, .octets = "\1\1\1" };
	assert_int_equal(
	    store_put(house.store, STORE_RECIPIENT, &bad, value, length), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	walk(&all, 100);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[0], 0);
	assert_int_equal(seen.ids[1], id);
	assert_string_equal(seen.sender, "sender@example.net");
	assert_int_equal(
	    matches((struct query_filter){ .sender = "sender@example.net" }),
	    1);
}

/* -- One destination ------------------------------------------------------ */

static unsigned int
walk_line(const char *destination, unsigned int step)
{
	struct query_filter all = { .id = 0 };
	struct row_place place = { 0, 0, 0 };
	int more;

	memset(&seen, 0, sizeof(seen));
	seen.most = COUNT(seen.ids);
	while ((more = query_line(
		    destination, &all, &place, step, note, NULL)) == 1)
		assert_true(seen.count < 100);
	assert_int_equal(more, 0);
	return seen.count;
}

/* Each once, in whatever steps, and of no other destination: neither one whose
 * name begins like it nor the next one. */
static void
test_what_is_in_line_for_one_destination(void **state)
{
	static const char *const both[] = { "a@x.example", "b@y.example",
		NULL };
	static const char *const longer[] = { "a@x.example.org", NULL };
	struct row_key bad = { .length = 30 };
	uint64_t ids[10], kept;

	(void)state;
	assert_int_equal(walk_line("mx:x.example", 3), 0);
	for (size_t i = 0; i < COUNT(ids); i++) {
		ids[i] = house_accept(&house, 10, both);
		house_accept(&house, 10, longer);
	}
	/* A key that is none, and one without its row. */
	memcpy(bad.octets, "mx:x.example", 12);
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(store_put(house.store, STORE_DUE, &bad, "", 0), 0);
	bad = row_key_due("mx:x.example", &(struct row_place){ 1, 1, 1 });
	assert_int_equal(store_put(house.store, STORE_DUE, &bad, "", 0), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	for (unsigned int step = 1; step < 25; step += 4) {
		assert_int_equal(walk_line("mx:x.example", step), COUNT(ids));
		for (unsigned int i = 0; i < seen.count; i++) {
			assert_int_equal(seen.ids[i], ids[i]);
			assert_int_equal(seen.numbers[i], 0);
		}
	}
	assert_int_equal(walk_line("mx:x.exampl", 3), 0);
	assert_int_equal(walk_line("mx:x.example.org", 3), COUNT(ids));
	/* What is held stands in no line, and is counted. */
	assert_int_equal(query_kept("mx:x.example", &kept), 0);
	assert_int_equal(kept, 0);
	assert_true(house_act(&house, CTL_VERB_HOLD, ids[2], 0));
	assert_int_equal(walk_line("mx:x.example", 3), COUNT(ids) - 1);
	assert_int_equal(query_kept("mx:x.example", &kept), 0);
	assert_int_equal(kept, 1);
	assert_int_equal(query_kept("mx:z.example", &kept), 0);
	assert_int_equal(kept, 0);
}

static void
count_message(uint64_t id, const struct row_message *row, void *context)
{
	assert_int_not_equal(id, 0);
	assert_int_equal(row->size, 12345);
	++*(unsigned int *)context;
}

static bool
count_event(uint64_t id, const struct row_event *event, void *context)
{
	assert_int_not_equal(id, 0);
	assert_true(
	    event->what == EVENT_ACCEPTED || event->what == EVENT_DELIVERED);
	++*(unsigned int *)context;
	return true;
}

static void
test_one_message_and_its_history(void **state)
{
	static const char *const two[] = { "a@x.example", "b@y.example", NULL };
	struct lifecycle_result result;
	uint64_t id = house_accept(&house, 12345, two), ids[4];
	unsigned int count = 0;
	uint32_t place = 0;
	int fd, more;

	(void)state;
	assert_int_equal(query_message(id, count_message, &count), 0);
	assert_int_equal(count, 1);
	fd = query_content(id);
	assert_int_not_equal(fd, -1);
	assert_int_equal(lseek(fd, 0, SEEK_END), 12345);
	close(fd);
	house_report(
	    &house, id, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	house_report(
	    &house, id, 1, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	errno = 0;
	assert_int_equal(query_message(id, count_message, &count), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(query_content(id), -1);
	assert_int_equal(errno, ENOENT);
	count = 0;
	while ((more = query_events(id, &place, 1, count_event, &count)) == 1)
		assert_true(count < 10);
	assert_int_equal(more, 0);
	assert_int_equal(count, 4);
	/* Gone, and still found by its addresses. */
	assert_int_equal(
	    query_ids("SENDER@example.net", UINT64_MAX, ids, 4), 1);
	assert_int_equal(ids[0], id);
	assert_int_equal(query_ids("b@y.example", UINT64_MAX, ids, 4), 1);
	assert_int_equal(query_ids("b@y.example", id + 1, ids, 4), 1);
	assert_int_equal(query_ids("b@y.example", id, ids, 4), 0);
	assert_int_equal(query_ids("b@y.example", 0, ids, 4), 0);
	assert_int_equal(query_ids("nobody@y.example", UINT64_MAX, ids, 4), 0);
}

/* The newest first, and those of a neighbour are not taken for theirs. */
static void
test_the_newest_of_an_address(void **state)
{
	static const char *const one[] = { "b@y.example", NULL };
	static const char *const before[] = { "a@y.example", NULL };
	static const char *const behind[] = { "b@y.examplf", NULL };
	struct row_key bad = { .length = 21 };
	uint64_t ids[10], found[11];

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++) {
		house_accept(&house, 10, before);
		ids[i] = house_accept(&house, 10, one);
		house_accept(&house, 10, behind);
	}
	/* A key that is none hides nothing. */
	memcpy(bad.octets, "b@y.example\0\xff\xff\xff\xff\xff\xff", 18);
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(store_put(house.store, STORE_ADDRESS, &bad, "", 0), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	assert_int_equal(
	    query_ids("b@y.example", UINT64_MAX, found, COUNT(found)), 10);
	for (size_t i = 0; i < COUNT(ids); i++)
		assert_int_equal(found[i], ids[9 - i]);
	assert_int_equal(query_ids("b@y.example", UINT64_MAX, found, 3), 3);
	assert_int_equal(found[2], ids[7]);
	assert_int_equal(query_ids("b@y.example", ids[7], found, 3), 3);
	assert_int_equal(found[0], ids[6]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_walk_in_steps_sees_all_once),
		TEST(test_a_walk_that_is_stopped_goes_on_there),
		TEST(test_what_a_filter_means),
		TEST(test_a_walk_to_what_was_the_newest),
		TEST(test_damaged_rows),
		TEST(test_what_is_in_line_for_one_destination),
		TEST(test_one_message_and_its_history),
		TEST(test_the_newest_of_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
