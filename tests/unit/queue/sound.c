/* The proof that every row of a store agrees with every other. */
#include <bsd/sys/tree.h>

#include "tests/unit/queue/test.h"

struct tally {
	RB_ENTRY(tally) by_name;
	char name[LIMIT_DESTINATION + 1];
	uint64_t states[RECIPIENT_STATES];
	uint64_t due;
	uint64_t first_due;
};

RB_HEAD(tally_tree, tally);

static int
compare(struct tally *a, struct tally *b)
{
	return strcmp(a->name, b->name);
}

RB_PROTOTYPE(tally_tree, tally, by_name, compare)
RB_GENERATE(tally_tree, tally, by_name, compare)

static struct tally_tree tallies;
static struct row_totals totals;
static struct store *store;

static struct tally *
tally_of(const char *name)
{
	struct tally *t = calloc(1, sizeof(*t)), *found;

	assert_non_null(t);
	assert_true(strlen(name) <= LIMIT_DESTINATION);
	memcpy(t->name, name, strlen(name) + 1);
	found = RB_INSERT(tally_tree, &tallies, t);
	if (found == NULL)
		return t;
	free(t);
	return found;
}

static void
for_each(enum store_table table, void (*look)(struct bytes, struct bytes))
{
	struct row_key start = { .length = 1 };
	struct bytes key, value;
	int found;

	for (found = store_seek(store, table, &start, &key, &value); found == 0;
	     found = store_next(store, table, &key, &value))
		look(key, value);
	assert_int_equal(errno, ENOENT);
}

static bool
exists(enum store_table table, const struct row_key *key)
{
	struct bytes value;

	return store_get(store, table, key, &value) == 0;
}

static void
look_at_recipient(struct bytes key, struct bytes value)
{
	struct row_recipient row;
	struct row_key message, due;
	struct row_place place;
	uint64_t id;
	uint32_t number;

	assert_int_equal(
	    row_key_number_read(key.data, key.length, &id, &number), 0);
	assert_int_equal(
	    row_recipient_decode(&row, value.data, value.length), 0);
	message = row_key_id(id);
	assert_true(exists(STORE_MESSAGE, &message));
	place = (struct row_place){ row.due, id, number };
	due = row_key_due(row.destination, &place);
	assert_int_equal(
	    exists(STORE_DUE, &due), row.state == RECIPIENT_WAITING);
	/* A destination does not count what has arrived there. */
	if (row.state != RECIPIENT_DELIVERED)
		tally_of(row.destination)->states[row.state]++;
	totals.waiting += row.state == RECIPIENT_WAITING;
	totals.held += row.state == RECIPIENT_HELD;
	totals.failed += row.state == RECIPIENT_FAILED;
}

static void
look_at_due(struct bytes key, struct bytes value)
{
	struct row_recipient row;
	struct row_key recipient;
	struct row_place place;
	const char *name;
	struct tally *t;
	struct bytes found;

	(void)value;
	assert_int_equal(
	    row_key_due_read(key.data, key.length, &name, &place), 0);
	recipient = row_key_number(place.id, place.number);
	assert_int_equal(
	    store_get(store, STORE_RECIPIENT, &recipient, &found), 0);
	assert_int_equal(
	    row_recipient_decode(&row, found.data, found.length), 0);
	assert_string_equal(row.destination, name);
	assert_int_equal(row.due, place.time);
	assert_int_equal(row.state, RECIPIENT_WAITING);
	t = tally_of(name);
	if (t->due++ == 0)
		t->first_due = place.time;
}

static uint32_t
count_recipients(uint64_t id)
{
	struct row_key from = row_key_number(id, 0);
	struct bytes key, value;
	uint32_t count = 0, number;
	uint64_t of;
	int found;

	for (found = store_seek(store, STORE_RECIPIENT, &from, &key, &value);
	     found == 0;
	     found = store_next(store, STORE_RECIPIENT, &key, &value)) {
		assert_int_equal(
		    row_key_number_read(key.data, key.length, &of, &number), 0);
		if (of != id)
			break;
		count++;
	}
	return count;
}

static uint64_t
count_content(uint64_t id)
{
	uint64_t size = 0;

	for (uint32_t chunk = 0;; chunk++) {
		struct row_key key = row_key_number(id, chunk);
		struct bytes value;

		if (store_get(store, STORE_CONTENT, &key, &value) == -1)
			return size;
		size += value.length;
	}
}

static void
look_at_message(struct bytes key, struct bytes value)
{
	struct row_message row;
	struct row_key event;
	uint64_t id;

	assert_int_equal(row_key_id_read(key.data, key.length, &id), 0);
	assert_int_equal(row_message_decode(&row, value.data, value.length), 0);
	assert_int_equal(count_recipients(id), row.open);
	assert_true(row.open > 0);
	assert_int_equal(count_content(id), row.size);
	event = row_key_number(id, 0);
	assert_true(exists(STORE_EVENT, &event));
	totals.messages++;
	totals.bytes += row.size;
}

static void
look_at_content(struct bytes key, struct bytes value)
{
	struct row_key message;
	uint64_t id;
	uint32_t chunk;

	(void)value;
	assert_int_equal(
	    row_key_number_read(key.data, key.length, &id, &chunk), 0);
	message = row_key_id(id);
	assert_true(exists(STORE_MESSAGE, &message));
}

static void
look_at_destination(struct bytes key, struct bytes value)
{
	char name[LIMIT_DESTINATION + 1];
	struct row_destination row;
	struct tally *t;
	struct row_key wake;
	uint64_t now = house_now / 1000, wanted;

	assert_true(key.length <= LIMIT_DESTINATION);
	memcpy(name, key.data, key.length);
	name[key.length] = '\0';
	assert_int_equal(
	    row_destination_decode(&row, value.data, value.length), 0);
	t = tally_of(name);
	assert_int_equal(row.waiting, t->states[RECIPIENT_WAITING]);
	assert_int_equal(row.held, t->states[RECIPIENT_HELD]);
	assert_int_equal(row.failed, t->states[RECIPIENT_FAILED]);
	assert_int_equal(row.waiting, t->due);
	assert_true(row.waiting + row.held + row.failed > 0);
	assert_int_equal(row.wake != 0, row.waiting > 0);
	if (row.wake == 0)
		return;
	wake = row_key_wake(row.wake, name);
	assert_true(exists(STORE_WAKE, &wake));
	wanted =
	    t->first_due > row.backoff_until ? t->first_due : row.backoff_until;
	assert_true(row.wake == wanted || (row.wake <= now && wanted <= now));
}

static void
look_at_wake(struct bytes key, struct bytes value)
{
	char name[LIMIT_DESTINATION + 1];
	struct row_destination row;
	struct row_key destination;
	struct bytes found;
	uint64_t time;

	(void)value;
	assert_int_equal(
	    row_key_wake_read(key.data, key.length, &time, name), 0);
	destination = row_key_text(name);
	assert_int_equal(
	    store_get(store, STORE_DESTINATION, &destination, &found), 0);
	assert_int_equal(
	    row_destination_decode(&row, found.data, found.length), 0);
	assert_int_equal(row.wake, time);
}

static void
look_at_address(struct bytes key, struct bytes value)
{
	struct row_key event;
	uint64_t id = 0;

	(void)value;
	assert_true(key.length > 9);
	for (size_t i = key.length - 8; i < key.length; i++)
		id = id << 8 | key.data[i];
	event = row_key_number(id, 0);
	assert_true(exists(STORE_EVENT, &event));
}

static void
all_destinations_have_rows(void)
{
	struct tally *t;

	RB_FOREACH (t, tally_tree, &tallies) {
		struct row_key key = row_key_text(t->name);

		assert_true(exists(STORE_DESTINATION, &key));
	}
}

static void
forget_tallies(void)
{
	struct tally *t, *following;

	RB_FOREACH_SAFE (t, tally_tree, &tallies, following) {
		RB_REMOVE(tally_tree, &tallies, t);
		free(t);
	}
}

void
house_is_sound(struct house *h)
{
	store = h->store;
	memset(&totals, 0, sizeof(totals));
	assert_int_equal(store_read_begin(store), 0);
	for_each(STORE_RECIPIENT, look_at_recipient);
	for_each(STORE_DUE, look_at_due);
	for_each(STORE_MESSAGE, look_at_message);
	for_each(STORE_CONTENT, look_at_content);
	all_destinations_have_rows();
	for_each(STORE_DESTINATION, look_at_destination);
	for_each(STORE_WAKE, look_at_wake);
	for_each(STORE_ADDRESS, look_at_address);
	store_read_end(store);
	forget_tallies();
	assert_memory_equal(&totals, &h->lifecycle.totals, sizeof(totals));
}
