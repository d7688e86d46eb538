#include <sys/resource.h>
#include <sys/stat.h>

#include <signal.h>

#include "queue/commit.h"
#include "queue/flight.h"
#include "queue/stats.h"
#include "tests/unit/queue/test.h"

static struct house house;
static const char *const one[] = { "u@example.com", NULL };

/* What the others were told. */
static struct {
	unsigned int gathered, full, accepted, landed, gone, committed;
	unsigned int answers[600];
	bool stalled;
} told;

static void
on_gathered(bool full)
{
	told.gathered++;
	told.full += full;
}

static void
on_accepted(struct submission *s)
{
	(void)s;
	told.accepted++;
}

static void
on_landed(struct flight *f)
{
	told.landed++;
	flight_free(&f);
}

static void
on_gone(uint64_t id)
{
	assert_int_not_equal(id, 0);
	told.gone++;
}

static void
on_committed(void)
{
	struct destination *d;

	told.committed++;
	while ((d = TAILQ_FIRST(&house.destinations.changed)) != NULL) {
		TAILQ_REMOVE(&house.destinations.changed, d, in_changed);
		d->changed = false;
	}
}

static void
on_stalled(bool stalled)
{
	assert_int_not_equal(told.stalled, stalled);
	told.stalled = stalled;
}

static const struct commit_handler handler = {
	.gathered = on_gathered,
	.accepted = on_accepted,
	.landed = on_landed,
	.gone = on_gone,
	.committed = on_committed,
	.stalled = on_stalled,
};

static int
set_up_with(uint64_t map)
{
	memset(&told, 0, sizeof(told));
	memset(&stats, 0, sizeof(stats));
	house_open(&house, map);
	assert_int_equal(commit_start(NULL, &house.lifecycle, &handler), 0);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	return set_up_with(64 * MIB);
}

static int
set_up_large(void **state)
{
	(void)state;
	return set_up_with(256 * MIB);
}

static int
set_up_small(void **state)
{
	(void)state;
	return set_up_with(MIB);
}

static int
tear_down(void **state)
{
	(void)state;
	house_is_sound(&house);
	house_close(&house);
	return 0;
}

static void
on_answer(struct submission *s, unsigned int code, const char *reply)
{
	/* Durable before it is said. */
	if (code == 250) {
		struct row_recipient row;

		assert_true(house_recipient(&house, s->id, 0, &row));
	} else
		assert_int_equal(reply[0], '4');
	told.answers[code]++;
}

static uint64_t
submit_to(size_t size, const char *const *recipients, void *owner)
{
	struct submission *s = house_mail(size, recipients);
	uint64_t id = s->id;

	s->answer = on_answer;
	s->owner = owner;
	commit_submission(s);
	return id;
}

static uint64_t
submit(size_t size)
{
	return submit_to(size, one, NULL);
}

static struct flight *
fly(uint64_t id)
{
	struct destination *d =
	    destination_find(&house.destinations, "mx:example.com");
	struct flight *f;

	assert_non_null(d);
	f = flight_new(id, 0, d);
	assert_non_null(f);
	return f;
}

static void
deliver(uint64_t id)
{
	struct lifecycle_report report = {
		.outcome = REPORT_DELIVERED,
		.host = "h",
		.reply = "250 ok",
	};

	assert_int_equal(commit_report(fly(id), &report), 0);
}

/* Each recipient has rows of its own, and may have a destination: so much is
 * not written, or held, at once. */
static void
test_a_batch_has_not_too_many_recipients(void **state)
{
	static char addresses[3000][32];
	static const char *many[3001];

	(void)state;
	for (unsigned int i = 0; i < COUNT(addresses); i++) {
		snprintf(
		    addresses[i], sizeof(addresses[i]), "u@h%u.example", i);
		many[i] = addresses[i];
	}
	for (unsigned int i = 0; i < 5; i++)
		submit_to(300, many, NULL);
	assert_int_equal(told.committed, 0);
	assert_int_equal(told.full, 0);
	submit_to(300, many, NULL);
	assert_int_equal(told.committed, 1);
	assert_int_equal(told.answers[250], 5);
	commit_run();
	assert_int_equal(told.answers[250], 6);
}

static void
test_many_share_one_commit(void **state)
{
	uint64_t ids[100];

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = submit(4096);
	assert_int_equal(told.answers[250], 0);
	assert_false(commit_is_empty());
	commit_run();
	assert_int_equal(told.answers[250], COUNT(ids));
	assert_int_equal(told.accepted, COUNT(ids));
	assert_int_equal(told.committed, 1);
	assert_int_equal(stats.commits, 1);
	assert_true(commit_is_empty());
	for (size_t i = 0; i < COUNT(ids); i++)
		deliver(ids[i]);
	commit_run();
	assert_int_equal(told.landed, COUNT(ids));
	assert_int_equal(told.gone, COUNT(ids));
	assert_int_equal(stats.commits, 2);
	assert_int_equal(stats.delivered, COUNT(ids));
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
	commit_run(); /* nothing to do */
	assert_int_equal(stats.commits, 2);
}

static void
test_a_batch_is_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < 1023; i++)
		submit(1);
	assert_int_equal(told.full, 0);
	submit(1);
	assert_int_equal(told.full, 1);
	commit_run();
	for (int i = 0; i < 4; i++)
		submit(7 * MIB);
	assert_int_equal(stats.commits, 1);
	submit(7 * MIB);
	assert_int_equal(stats.commits, 2);
	assert_int_equal(told.answers[250], 1028);
	commit_run();
	assert_int_equal(told.answers[250], 1029);
}

/* Large messages are not written together. */
static void
test_a_batch_of_large_ones_is_bounded(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct submission *s = house_mail(20 * MIB, one);

		s->answer = on_answer;
		commit_submission(s);
		assert_int_equal(stats.commits, i);
		assert_int_equal(told.accepted, i);
	}
	commit_run();
	assert_int_equal(stats.commits, 4);
	assert_int_equal(told.answers[250], 4);
}

static void
test_a_bad_one_spoils_no_other(void **state)
{
	struct submission *twin, *liar;

	(void)state;
	twin = house_mail(10, one);
	twin->id = submit(10);
	twin->answer = on_answer;
	commit_submission(twin);
	liar = house_mail(10, one);
	liar->size = 100000;
	liar->answer = on_answer;
	commit_submission(liar);
	submit(10);
	commit_run();
	assert_int_equal(told.answers[250], 2);
	assert_int_equal(told.answers[451], 2);
	assert_int_equal(house_count(&house, STORE_MESSAGE), 2);
}

static void
test_a_router_that_left_is_forgotten(void **state)
{
	int first, second;

	(void)state;
	submit_to(10, one, &first);
	submit_to(10, one, &second);
	submit_to(10, one, &first);
	commit_forget_owner(&first);
	commit_run();
	assert_int_equal(told.answers[250], 1);
	assert_int_equal(house_count(&house, STORE_MESSAGE), 1);
}

static int acts[3]; /* by result + 1 */

static void
on_done(int result, void *context)
{
	assert_ptr_equal(context, acts);
	acts[result + 1]++;
}

/* Nor does what it had sent count any more. */
static void
test_a_router_that_left_with_much(void **state)
{
	int owner;

	(void)state;
	submit_to(40 * MIB, one, &owner);
	assert_true(commit_is_full());
	commit_forget_owner(&owner);
	assert_true(commit_is_empty());
	assert_false(commit_is_full());
	submit(100);
	submit(100);
	assert_int_equal(stats.commits, 0);
	commit_run();
	assert_int_equal(told.answers[250], 2);
}

static void
test_acts_are_told_what_came_of_them(void **state)
{
	uint64_t id = submit(10);

	(void)state;
	memset(acts, 0, sizeof(acts));
	commit_run();
	assert_int_equal(
	    commit_verb(CTL_VERB_HOLD, id, 0, 0, on_done, acts), 0);
	assert_int_equal(
	    commit_verb(CTL_VERB_RETRY, id, 0, 0, on_done, acts), 0);
	assert_int_equal(
	    commit_verb(CTL_VERB_REMOVE, id, 1, 0, on_done, acts), 0);
	assert_int_equal(
	    commit_verb(CTL_VERB_REMOVE, id, 0, 0, on_done, acts), 0);
	commit_forget_context(&told); /* another's */
	assert_int_equal(acts[2], 0);
	commit_run();
	assert_int_equal(acts[2], 2);
	assert_int_equal(acts[1], 2);
	assert_int_equal(told.gone, 1);
	/* The client left before: it is done, and nobody is told. */
	id = submit(10);
	commit_run();
	assert_int_equal(
	    commit_verb(CTL_VERB_REMOVE, id, 0, 0, on_done, acts), 0);
	commit_forget_context(acts);
	commit_run();
	assert_int_equal(acts[2], 2);
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
}

/* Full: new mail is refused, what waits is delivered, then there is room. */
static void
test_a_full_store(void **state)
{
	uint64_t ids[64];
	size_t count = 0;

	(void)state;
	while (told.answers[452] == 0) {
		assert_true(count < COUNT(ids));
		ids[count] = submit(20000);
		commit_run();
		if (told.answers[452] == 0)
			count++;
	}
	assert_true(count > 5);
	assert_int_equal(told.answers[250], count);
	house_is_sound(&house);
	for (size_t i = 0; i < count; i++) {
		deliver(ids[i]);
		commit_run();
	}
	assert_int_equal(told.landed, count);
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
	sleep(1);
	submit(20000);
	commit_run();
	assert_int_equal(told.answers[250], count + 1);
}

static void
limit_file(rlim_t size)
{
	struct rlimit limit = { size, RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static rlim_t
file_size(void)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", house.directory);
	assert_int_equal(stat(path, &st), 0);
	return (rlim_t)st.st_size;
}

/* The disk refuses to take more, in the middle of everything. */
static void
test_a_disk_that_fails(void **state)
{
	uint64_t first, second;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	first = submit(4096);
	second = submit(4096);
	commit_run();
	deliver(first);
	submit(4 * MIB);
	limit_file(4096); /* no page can be written */
	commit_run();
	/* The message is refused; the report is kept, in flight. */
	assert_int_equal(told.answers[452], 1);
	assert_int_equal(told.landed, 0);
	assert_true(told.stalled);
	assert_true(flight_exists(first, 0));
	submit(10);
	assert_int_equal(told.answers[452], 2);
	commit_run();
	assert_true(told.stalled);
	/* A little room: enough for what frees space. */
	limit_file(RLIM_INFINITY);
	commit_run();
	assert_false(told.stalled);
	assert_int_equal(told.landed, 1);
	assert_false(flight_exists(first, 0));
	assert_int_equal(house_count(&house, STORE_MESSAGE), 1);
	house_is_sound(&house);
	/* A big message fails alone. */
	deliver(second);
	submit(4 * MIB);
	limit_file(file_size() + 65536);
	commit_run();
	limit_file(RLIM_INFINITY);
	assert_int_equal(told.answers[452], 3);
	assert_int_equal(told.landed, 2);
	assert_false(told.stalled);
}

/* Everything that was acknowledged is there after a crash. */
static void
test_a_crash_after_the_answer(void **state)
{
	static const char *const many[] = { "a@example.com", "alice@local.test",
		NULL };
	uint64_t id;

	(void)state;
	id = submit_to(40000, many, NULL);
	commit_run();
	assert_int_equal(told.answers[250], 1);
	house_crash(&house);
	house_is_sound(&house);
	assert_int_equal(house_count(&house, STORE_DUE), 2);
	assert_int_equal(house_count(&house, STORE_WAKE), 2);
	assert_true(house_act(&house, CTL_VERB_REMOVE, id, 0));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_many_share_one_commit),
		TEST(test_a_batch_is_bounded),
		cmocka_unit_test_setup_teardown(
		    test_a_batch_of_large_ones_is_bounded, set_up_large,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_batch_has_not_too_many_recipients, set_up_large,
		    tear_down),
		TEST(test_a_bad_one_spoils_no_other),
		TEST(test_a_router_that_left_is_forgotten),
		cmocka_unit_test_setup_teardown(
		    test_a_router_that_left_with_much, set_up_large, tear_down),
		TEST(test_acts_are_told_what_came_of_them),
		cmocka_unit_test_setup_teardown(
		    test_a_full_store, set_up_small, tear_down),
		TEST(test_a_disk_that_fails),
		TEST(test_a_crash_after_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
