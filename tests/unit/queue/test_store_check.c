/* Each kind of damage is found, named, and nothing else is. */
#include <inttypes.h>

#include "queue/store_check.h"
#include "queue/store_event.h"
#include "queue/tell.h"
#include "tests/unit/queue/test.h"

static struct house house;

/* The faults of the last look, each a line. */
static char faults[65536];

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
	house_close(&house);
	return 0;
}

static void
note(const struct store_fault *f, void *context)
{
	size_t length = strlen(faults);

	(void)context;
	snprintf(faults + length, sizeof(faults) - length,
	    "%s %" PRId64 " %s: %s\n", store_table_name(f->table), f->number,
	    f->name, f->what);
}

static unsigned int
look(void)
{
	struct row_totals totals;

	faults[0] = '\0';
	return house_faults(&house, note, NULL, &totals);
}

static void
is_found(const char *fault)
{
	if (strstr(faults, fault) == NULL)
		fail_msg("not found: %s\nbut:\n%s", fault, faults);
}

static void
put(enum store_table table, const struct row_key *key, const void *value,
    size_t length)
{
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(store_put(house.store, table, key, value, length), 0);
	assert_int_equal(store_write_commit(house.store), 0);
}

static void
take_out(enum store_table table, const struct row_key *key)
{
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(store_delete(house.store, table, key), 0);
	assert_int_equal(store_write_commit(house.store), 0);
}

static const char *const two[] = { "a@example.com", "B@example.net", NULL };

/* Mail in each state, at several destinations, some of it gone. */
static uint64_t
live(void)
{
	struct lifecycle_result result;
	uint64_t id = house_accept(&house, 100000, two);
	uint64_t other = house_accept(&house, 0, two);

	house_report(
	    &house, other, 0, REPORT_FAILED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(house_act(&house, CTL_VERB_HOLD, other, 1));
	other = house_accept(&house, 10, two);
	house_report(&house, other, 0, REPORT_DEFERRED,
	    REPORT_SCOPE_DESTINATION, &result);
	house_report(&house, other, 1, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT,
	    &result);
	other = house_accept(&house, 10, two);
	for (uint32_t i = 0; i < 2; i++)
		house_report(&house, other, i, REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT, &result);
	return id;
}

static void
test_a_sound_store_has_no_faults(void **state)
{
	(void)state;
	assert_int_equal(look(), 0);
	live();
	assert_int_equal(look(), 0);
}

/* The last event of a message: nothing says that there was one. */
static bool
is_the_last_event(const struct row_key *key)
{
	struct row_key after = *key;
	struct bytes k, v;
	bool last;

	after.octets[after.length++] = 0;
	assert_int_equal(store_read_begin(house.store), 0);
	last = store_seek(house.store, STORE_EVENT, &after, &k, &v) == -1 ||
	       memcmp(k.data, key->octets, 8) != 0;
	store_read_end(house.store);
	return last;
}

/* Each row of a table is taken out, or made unreadable, and put back: nothing
 * is lost unseen. */
static unsigned int
damage_each(enum store_table table, const void *value, size_t length)
{
	struct row_key start = { .length = 1 };
	unsigned int rows = 0;

	for (;;) {
		static uint8_t kept[65536];
		struct bytes k, v;
		struct row_key key;
		size_t kept_length = 0;
		int found;

		assert_int_equal(store_read_begin(house.store), 0);
		found = store_seek(house.store, table, &start, &k, &v);
		if (found == 0) {
			key.length = k.length;
			memcpy(key.octets, k.data, k.length);
			kept_length = v.length;
			memcpy(kept, v.data, v.length);
		}
		store_read_end(house.store);
		if (found == -1)
			return rows;
		if (length == 0)
			take_out(table, &key);
		else
			put(table, &key, value, length);
		if (look() == 0 && (table != STORE_EVENT || length > 0 ||
				       !is_the_last_event(&key)))
			fail_msg("row %u of %s", rows, store_table_name(table));
		put(table, &key, kept, kept_length);
		assert_int_equal(look(), 0);
		start = key;
		start.octets[start.length++] = 0;
		rows++;
	}
}

static void
test_no_row_is_lost_unseen(void **state)
{
	unsigned int rows = 0;

	(void)state;
	live();
	for (int table = 0; table <= STORE_REPORT; table++)
		rows += damage_each((enum store_table)table, NULL, 0);
	assert_true(rows > 30);
}

static void
test_no_row_is_damaged_unseen(void **state)
{
	/* An index has no values, and the octets of content are another
	 * matter. */
	static const enum store_table tables[] = { STORE_MESSAGE,
		STORE_RECIPIENT, STORE_DESTINATION, STORE_EVENT };
	unsigned int rows = 0;

	(void)state;
	live();
	for (size_t i = 0; i < COUNT(tables); i++)
		rows += damage_each(tables[i], "rot", 3);
	assert_true(rows > 15);
}

static void
test_faults_are_named(void **state)
{
	uint64_t id = live();
	struct row_key key = row_key_number(id, 1);
	struct row_key totals = row_key_text("totals");

	(void)state;
	take_out(STORE_RECIPIENT, &key);
	assert_int_equal(look(), 4);
	is_found("message -1 : it should have 2 recipients and has 1\n");
	is_found("due 1 mx:example.net: its recipient is not there\n");
	is_found("destination -1 mx:example.net: it should have 1 waiting "
		 "recipients and has 0\n");
	is_found("meta -1 totals: there should be 3 waiting recipients and "
		 "there are 2\n");
	put(STORE_META, &totals, "rot", 3);
	look();
	is_found("meta -1 totals: the row is damaged\n");
	key = row_key_number(id, 1);
	take_out(STORE_CONTENT, &key);
	look();
	is_found("content -1 : a chunk of the content is missing\n");
}

/* Both wait for nothing but a report; what was given up does not. */
static void
test_who_waits_for_a_report(void **state)
{
	static const char *const mailbox[] = { "alice@local.test", NULL };
	struct lifecycle_result result;
	struct submission *s = house_mail(10, mailbox);
	struct telling t = { .id = house_accept(&house, 10, two), .count = 1 };
	struct row_key key;

	(void)state;
	s->recipients[0].notify = DSN_NOTIFY_SUCCESS;
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(lifecycle_accept(&house.lifecycle, s), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	house_report(&house, s->id, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT,
	    &result);
	house_report(
	    &house, t.id, 0, REPORT_FAILED, REPORT_SCOPE_RECIPIENT, &result);
	t.time = house_now / 1000 + TELL_GATHER;
	t.recipients[0] = (struct telling_recipient){ 0, TELL_FAILURE };
	look();
	assert_null(strstr(faults, "report"));
	assert_null(strstr(faults, "told"));
	key = row_key_report(t.time, s->id);
	take_out(STORE_REPORT, &key);
	key = row_key_report(t.time, t.id);
	take_out(STORE_REPORT, &key);
	look();
	is_found("recipient 0 local:alice: it is delivered and waits "
		 "for a report that is never made\n");
	is_found("recipient 0 mx:example.com: it has failed and nobody will be "
		 "told\n");
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    lifecycle_put_off(&house.lifecycle, &t, 0, house_now, &result), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	look();
	assert_null(strstr(faults, "told"));
	/* That is how the administrator mends it. */
	assert_true(house_act(&house, CTL_VERB_BOUNCE, t.id, 0));
	look();
	assert_null(strstr(faults, "told"));
	assert_int_equal(house_count(&house, STORE_REPORT), 1);
	submission_free(&s);
}

static void
test_altered_content(void **state)
{
	uint64_t id = live();
	struct row_key key = row_key_number(id, 2);
	uint8_t chunk[ROW_CHUNK_SIZE];
	struct bytes value;

	(void)state;
	assert_int_equal(store_read_begin(house.store), 0);
	assert_int_equal(
	    store_get(house.store, STORE_CONTENT, &key, &value), 0);
	assert_int_equal(value.length, sizeof(chunk));
	memcpy(chunk, value.data, sizeof(chunk));
	store_read_end(house.store);
	chunk[sizeof(chunk) - 1] ^= 0x80;
	put(STORE_CONTENT, &key, chunk, sizeof(chunk));
	assert_int_equal(look(), 1);
	is_found("content -1 : the content has another checksum\n");
}

/* In the middle of being forgotten a history has no beginning, and the index
 * that its events share is gone. */
static void
test_a_history_that_is_being_forgotten(void **state)
{
	static const char *const same[] = { "a@example.com", "a@example.com",
		"b@example.com", "a@example.com", NULL };
	struct store_event_purge purge = { 0 };
	struct lifecycle_result result;
	uint64_t id = house_accept(&house, 10, same);

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		house_report(&house, id, i, REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT, &result);
	house_now += 1000000;
	for (unsigned int left = 8; left > 0; left--) {
		assert_int_equal(house_count(&house, STORE_EVENT), left);
		assert_int_equal(look(), 0);
		assert_int_equal(store_write_begin(house.store), 0);
		assert_int_not_equal(
		    store_event_purge(house.store, &purge, house_now / 1000, 1),
		    -1);
		assert_int_equal(store_write_commit(house.store), 0);
	}
	assert_int_equal(look(), 0);
}

/* Rows that nobody points to. */
static void
test_strays(void **state)
{
	uint64_t id = live(), none = house_id();
	struct row_place place = { 5, none, 0 };
	struct row_key due = row_key_due("mx:example.com", &place);
	struct row_key wake = row_key_wake(7, "mx:nowhere.example");
	struct row_key again = row_key_wake(7, "mx:example.net");
	struct row_key content = row_key_number(none, 0);
	struct row_key more = row_key_number(id, 9);
	struct row_key chunk = row_key_number(id, 4);
	struct row_key address = row_key_address("x@example.com", id);
	struct row_key bad = { .length = 3, .octets = "\1\2\3" };

	(void)state;
	put(STORE_DUE, &due, "", 0);
	put(STORE_WAKE, &wake, "", 0);
	put(STORE_WAKE, &again, "", 0);
	put(STORE_CONTENT, &content, "x", 1);
	put(STORE_CONTENT, &chunk, "x", 1);
	put(STORE_RECIPIENT, &more, "rot", 3);
	put(STORE_ADDRESS, &address, "", 0);
	put(STORE_DUE, &bad, "", 0);
	look();
	is_found("due 0 mx:example.com: its recipient is not there\n");
	is_found("wake -1 mx:nowhere.example: its destination is not there\n");
	is_found("wake -1 mx:example.net: its destination is woken at another "
		 "time\n");
	is_found("content 0 : its message is not there\n");
	is_found("content -1 : there is more content than there should be\n");
	is_found("recipient 9 : the message has only 2 recipients\n");
	is_found("recipient 9 : the row is damaged\n");
	is_found("address -1 x@example.com: the message did not come with "
		 "it\n");
	is_found("due -1 010203: the key is damaged\n");
}

/* Due, and never woken: no time that passes is that one. */
static void
test_what_is_due_at_no_time(void **state)
{
	uint64_t id = house_accept(&house, 10, two);
	struct row_key key = row_key_text("mx:example.com"), wake;
	struct row_recipient row;
	struct row_destination d;
	uint8_t value[ROW_VALUE_SIZE];

	(void)state;
	assert_true(house_act(&house, CTL_VERB_HOLD, id, 0));
	assert_true(house_recipient(&house, id, 0, &row));
	row.due = 0;
	row.state = RECIPIENT_WAITING;
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    lifecycle_restore_recipient(&house.lifecycle, id, 0, &row), 0);
	assert_int_equal(destinations_flush(&house.destinations, house.store,
			     house_now / 1000),
	    0);
	assert_int_equal(store_write_commit(house.store), 0);
	assert_true(house_destination(&house, "mx:example.com", &d));
	assert_int_not_equal(d.wake, 0);
	wake = row_key_wake(d.wake, "mx:example.com");
	take_out(STORE_WAKE, &wake);
	d.wake = 0;
	put(STORE_DESTINATION, &key, value, row_destination_encode(&d, value));
	look();
	is_found("destination -1 mx:example.com: it has mail that is due and "
		 "is never woken\n");
}

/* The same number of recipients in all, but at other destinations: only those
 * are named, however many there are. */
static void
test_counts_of_many_destinations(void **state)
{
	const char *recipients[] = { NULL, NULL };
	struct row_destination row;
	struct row_key key = row_key_text("mx:d7.example");
	uint8_t value[ROW_VALUE_SIZE];

	(void)state;
	for (int i = 0; i < 300; i++) {
		char address[32];

		snprintf(address, sizeof(address), "u@d%d.example", i);
		recipients[0] = address;
		house_accept(&house, 10, recipients);
	}
	assert_int_equal(look(), 0);
	assert_true(house_destination(&house, "mx:d7.example", &row));
	row.held = 2;
	put(STORE_DESTINATION, &key, value,
	    row_destination_encode(&row, value));
	assert_int_equal(look(), 1);
	is_found("destination -1 mx:d7.example: it should have 2 held "
		 "recipients and has 0\n");
	for (int i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof(name), "mx:d%d.example", i);
		assert_true(house_destination(&house, name, &row));
		row.held = 1;
		key = row_key_text(name);
		put(STORE_DESTINATION, &key, value,
		    row_destination_encode(&row, value));
	}
	assert_int_equal(look(), 101);
	is_found("there are more whose recipients are not as many");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_sound_store_has_no_faults),
		TEST(test_no_row_is_lost_unseen),
		TEST(test_no_row_is_damaged_unseen),
		TEST(test_faults_are_named),
		TEST(test_who_waits_for_a_report),
		TEST(test_altered_content),
		TEST(test_a_history_that_is_being_forgotten),
		TEST(test_strays),
		TEST(test_what_is_due_at_no_time),
		TEST(test_counts_of_many_destinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
