/*
 * Every row of a store that was lived in × every way to damage it: the queue
 * starts, delivers all that the damage does not touch, and never content that
 * is not what was accepted; it takes new mail, answers every question, and
 * forgets histories; no commit fails.
 */
#include "queue/commit.h"
#include "queue/content_cache.h"
#include "queue/pause.h"
#include "queue/query.h"
#include "queue/query_destinations.h"
#include "queue/stats.h"
#include "queue/store_check.h"
#include "queue/store_event.h"
#include "tests/unit/queue/rig.h"

#define MOST_RECIPIENTS 16

/* Those that can be delivered, if all is whole. */
static struct {
	uint64_t id;
	uint32_t number;
	const char *destination;
} wanted[MOST_RECIPIENTS];
static unsigned int wanted_count;

static void
want(uint64_t id, uint32_t number, const char *destination)
{
	assert_true(wanted_count < MOST_RECIPIENTS);
	wanted[wanted_count].id = id;
	wanted[wanted_count].number = number;
	wanted[wanted_count++].destination = destination;
}

static void
on_done(int result, void *context)
{
	(void)context;
	assert_int_equal(result, 1);
}

static void
end(enum report_outcome outcome)
{
	rig_run_all();
	for (unsigned int i = 0; i < rig_given_count; i++)
		if (rig_given[i].open) {
			rig_report(
			    &rig_given[i], outcome, REPORT_SCOPE_RECIPIENT);
			rig_run_all();
		}
}

/* Mail in every state, at several destinations, and history of what is gone;
 * one message has several chunks. */
static void
live(void)
{
	static const char *const several[] = { "a@one.example", "b@two.example",
		"alice@local.test", "c@two.example", NULL };
	struct submission *s = house_mail(70000, several);
	uint64_t id;

	wanted_count = 0;
	rig_submit_one("gone@one.example");
	end(REPORT_DELIVERED);
	rig_submit_one("failed@three.example");
	end(REPORT_FAILED);
	want(rig_submit_one("later@one.example"), 0, "mx:one.example");
	end(REPORT_DEFERRED);
	rig_agent = AGENT_FULL;
	id = s->id;
	s->answer = rig_on_answer;
	commit_submission(s);
	want(id, 0, "mx:one.example");
	want(id, 1, "mx:two.example");
	want(id, 2, "local:alice");
	want(rig_submit_one("d@one.example"), 0, "mx:one.example");
	want(rig_submit_one("z@z.example"), 0, "mx:z.example");
	commit_run();
	assert_int_equal(
	    commit_verb(CTL_VERB_HOLD, id, 3, 0, on_done, NULL), 0);
	assert_int_equal(
	    commit_pause("mx:paused.example", true, on_done, NULL), 0);
	rig_submit_one("p@paused.example");
	commit_run();
}

/* -- Damage --------------------------------------------------------------- */

enum damage {
	REMOVED,
	KEY_CUT,
	KEY_LONGER,
	KEY_LAST_BIT,
	KEY_FIRST_BIT,
	KEY_EXTRA, /* another one besides, longer by an octet */
	KEYS,
	VALUE_ROT = KEYS,
	VALUE_BIT,
	VALUE_CUT,
	VALUE_EMPTY,
	DAMAGES
};

struct row {
	enum store_table table;
	struct row_key key;
	uint8_t value[ROW_CHUNK_SIZE];
	size_t length;
};

/* The row of this number. */
static bool
find(struct row *row, enum store_table table, unsigned int number)
{
	struct row_key start = { .length = 1 };
	struct store *store = rig_house.store;
	struct bytes key, value;
	int found;

	assert_int_equal(store_read_begin(store), 0);
	found = store_seek(store, table, &start, &key, &value);
	while (found == 0 && number-- > 0)
		found = store_next(store, table, &key, &value);
	if (found == 0) {
		row->table = table;
		row->key.length = key.length;
		memcpy(row->key.octets, key.data, key.length);
		assert_true(value.length <= sizeof(row->value));
		row->length = value.length;
		memcpy(row->value, value.data, value.length);
	}
	store_read_end(store);
	return found == 0;
}

static void
spoil_key(struct row_key *key, enum damage damage)
{
	if (damage == KEY_CUT)
		key->length--;
	if (damage == KEY_LONGER || damage == KEY_EXTRA)
		key->octets[key->length++] = 0;
	if (damage == KEY_LAST_BIT)
		key->octets[key->length - 1] ^= 1;
	if (damage == KEY_FIRST_BIT)
		key->octets[0] ^= 1;
}

static void
spoil_value(struct row *row, enum damage damage)
{
	if (damage == VALUE_ROT)
		memcpy(row->value, "rot", row->length = 3);
	if (damage == VALUE_BIT)
		row->value[row->length / 2] ^= 4;
	if (damage == VALUE_CUT)
		row->length--;
	if (damage == VALUE_EMPTY)
		row->length = 0;
}

static void
spoil(struct row *row, enum damage damage)
{
	struct store *store = rig_house.store;
	struct row_key key = row->key;

	spoil_key(&key, damage);
	spoil_value(row, damage);
	assert_int_equal(store_write_begin(store), 0);
	if (damage != KEY_EXTRA)
		assert_int_equal(store_delete(store, row->table, &row->key), 0);
	if (damage != REMOVED && key.length > 0)
		assert_int_equal(
		    store_put(store, row->table, &key, row->value, row->length),
		    0);
	assert_int_equal(store_write_commit(store), 0);
}

/* -- What becomes of it --------------------------------------------------- */

static bool
is_of_destination(const struct row *row, const char *name)
{
	size_t skip = row->table == STORE_WAKE ? 8 : 0, length = strlen(name);

	return row->key.length >= skip + length &&
	       memcmp(row->key.octets + skip, name, length) == 0;
}

/* May the damage keep this one from being delivered? */
static bool
is_touched(const struct row *row, uint64_t id, const char *destination)
{
	struct row_key of = row_key_id(id);

	switch (row->table) {
	case STORE_MESSAGE:
	case STORE_RECIPIENT:
	case STORE_CONTENT:
		return memcmp(row->key.octets, of.octets, 8) == 0;
	case STORE_DUE:
		return is_of_destination(row, destination) &&
		       memcmp(row->key.octets + row->key.length - 12, of.octets,
			   8) == 0;
	case STORE_WAKE:
		return is_of_destination(row, destination);
	case STORE_DESTINATION:
	case STORE_EVENT:
	case STORE_ADDRESS:
	case STORE_REPORT:
	case STORE_META:
	case STORE_TABLES:
		break;
	}
	return false;
}

static unsigned int
times_given(uint64_t id, uint32_t number)
{
	unsigned int times = 0;

	for (unsigned int i = 0; i < rig_given_count; i++)
		for (unsigned int j = 0; j < rig_given[i].count; j++)
			times += rig_given[i].id == id &&
				 rig_given[i].numbers[j] == number;
	return times;
}

static void
is_delivered_but_for(const struct row *row)
{
	for (unsigned int i = 0; i < wanted_count; i++) {
		unsigned int times =
		    times_given(wanted[i].id, wanted[i].number);

		if (times != 1 && (times > 1 || !is_touched(row, wanted[i].id,
						    wanted[i].destination)))
			fail_msg(
			    "recipient %u was delivered %u times", i, times);
	}
}

static bool
on_item(const struct query_item *item, void *context)
{
	uint64_t *last = context;

	assert_non_null(item->recipient->address);
	*last = item->id;
	return true;
}

static bool
on_destination(const struct query_destination *d, void *context)
{
	(void)context;
	assert_int_not_equal(d->name[0], '\0');
	return true;
}

static bool
on_event(uint64_t id, const struct row_event *event, void *context)
{
	(void)id;
	(void)context;
	assert_true(event->what < EVENT_KINDS);
	return true;
}

static void
ask_everything(void)
{
	static const struct query_filter all = { 0 };
	struct query_place place = { 0 };
	char name[LIMIT_DESTINATION + 1] = "";
	uint64_t ids[8], last = 0;
	uint32_t at = 0;
	int more = 1;

	query_start(rig_house.store);
	query_destinations_start(&rig_house.lifecycle);
	for (int left = 100; more == 1 && left > 0; left--)
		more = query_items(&all, &place, 3, on_item, &last);
	assert_int_equal(more, 0);
	more = 1;
	for (int left = 100; more == 1 && left > 0; left--)
		more = query_destinations("", name, 3, on_destination, NULL);
	assert_int_equal(more, 0);
	for (unsigned int i = 0; i < wanted_count; i++, at = 0)
		assert_int_equal(
		    query_events(wanted[i].id, &at, 100, on_event, NULL), 0);
	assert_true(query_ids("sender@example.net", UINT64_MAX, ids, 8) > 0);
}

static void
forget_everything(void)
{
	struct store_event_purge purge = { 0 };
	int forgotten = 1;

	house_now += UINT64_C(100) * 86400 * 1000;
	for (int left = 100; forgotten > 0 && left > 0; left--) {
		assert_int_equal(store_write_begin(rig_house.store), 0);
		forgotten = store_event_purge(
		    rig_house.store, &purge, house_now / 1000, 50);
		assert_int_equal(store_write_commit(rig_house.store), 0);
	}
	assert_int_equal(forgotten, 0);
}

static void
ignore(const struct store_fault *f, void *context)
{
	(void)f;
	(void)context;
}

/* Nothing can say that these were there, or are not what they were. */
static bool
may_be_unseen(const struct row *row, enum damage damage)
{
	if (row->table == STORE_REPORT)
		return true;
	if (row->table == STORE_EVENT)
		return damage == REMOVED || damage == KEY_LAST_BIT ||
		       damage == KEY_FIRST_BIT;
	if (row->table == STORE_META)
		return row->key.octets[0] == 'p';
	return false;
}

static void
restart(void)
{
	scheduler_stop();
	content_cache_clear();
	house_crash(&rig_house);
	rig_given_count = 0;
	rig_answers_250 = 0;
	rig_agent = AGENT_READY;
	house_now += 3600 * 1000;
	rig_start();
	scheduler_wake();
}

static void
go_on_with(struct row *row, enum damage damage)
{
	struct row_totals totals;
	unsigned int faults;
	uint64_t id;

	spoil(row, damage);
	faults = house_faults(&rig_house, ignore, NULL, &totals);
	if (faults == 0 && !may_be_unseen(row, damage))
		fail_msg("the check does not see it");
	restart();
	end(REPORT_DELIVERED);
	is_delivered_but_for(row);
	id = rig_submit_one("new@one.example");
	end(REPORT_DELIVERED);
	assert_int_equal(times_given(id, 0), 1);
	assert_int_equal(rig_answers_250, 1);
	ask_everything();
	forget_everything();
	assert_int_equal(stats.commits_failed, 0);
	assert_int_equal(flight_count(), 0);
}

static const struct row *spoilt;
static unsigned int spoilt_how;

/* Says which one it was if the test fails in between. */
static int
say_which(void **state)
{
	(void)state;
	if (spoilt != NULL)
		fprintf(stderr, "table %s, damage %u\n",
		    store_table_name(spoilt->table), spoilt_how);
	return 0;
}

static bool
is_schema(const struct row *row)
{
	return row->table == STORE_META && row->key.octets[0] == 's';
}

/* The schema's own row is what nothing starts without. */
static void
damage_table(enum store_table table, unsigned int damages)
{
	static struct row row;
	unsigned int cases = 0;

	for (unsigned int damage = 0; damage < damages; damage++) {
		bool is_there = true;

		for (unsigned int number = 0; is_there; number++) {
			rig_set_up(NULL);
			live();
			is_there = find(&row, table, number);
			spoilt = &row;
			spoilt_how = damage;
			if (is_there && !is_schema(&row) &&
			    (damage < KEYS || row.length > 0)) {
				go_on_with(&row, (enum damage)damage);
				cases++;
			}
			spoilt = NULL;
			if (!is_there)
				end(REPORT_DEFERRED);
			rig_end();
		}
	}
	assert_true(cases >= damages);
}

#define TABLE(name, table, damages)           \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		damage_table(table, damages); \
	}

TABLE(message, STORE_MESSAGE, DAMAGES)
TABLE(content, STORE_CONTENT, DAMAGES)
TABLE(recipient, STORE_RECIPIENT, DAMAGES)
TABLE(due, STORE_DUE, KEYS)
TABLE(wake, STORE_WAKE, KEYS)
TABLE(destination, STORE_DESTINATION, DAMAGES)
TABLE(event, STORE_EVENT, DAMAGES)
TABLE(address, STORE_ADDRESS, KEYS)
TABLE(report, STORE_REPORT, KEYS)
TABLE(meta, STORE_META, DAMAGES)

#define TEST(name) cmocka_unit_test_teardown(test_##name, say_which)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(message),
		TEST(content),
		TEST(recipient),
		TEST(due),
		TEST(wake),
		TEST(destination),
		TEST(event),
		TEST(address),
		TEST(report),
		TEST(meta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
