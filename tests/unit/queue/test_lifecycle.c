#include "common/id.h"
#include "queue/digest.h"
#include "queue/store_content.h"
#include "queue/tell.h"
#include "tests/unit/queue/test.h"

static struct house house;

static const char *const one[] = { "u@example.com", NULL };
static const char *const local[] = { "alice@local.test", NULL };
static const char *const several[] = { "a@example.com", "b@example.com",
	"c@example.org", "alice@local.test", NULL };

static int
set_up(void **state)
{
	(void)state;
	house_now = UINT64_C(1800000000000);
	house_open(&house, 64 * MIB);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	house_is_sound(&house);
	house_close(&house);
	return 0;
}

static unsigned int
now(void)
{
	return (unsigned int)(house_now / 1000);
}

/* The table of lifecycle.c, once more and in the other order: event by event,
 * for a recipient that waits, is held, has failed, was delivered. */
static void
test_every_state_and_event(void **state)
{
	static const enum lifecycle_step
	    wanted[LIFECYCLE_EVENTS][RECIPIENT_STATES] = {
		    [LIFECYCLE_DELIVERED] = { LIFECYCLE_TO_GONE,
			LIFECYCLE_TO_GONE, LIFECYCLE_TO_GONE,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_DELIVERED_ASKED] = { LIFECYCLE_TO_DELIVERED,
			LIFECYCLE_TO_DELIVERED, LIFECYCLE_TO_DELIVERED,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_DEFERRED] = { LIFECYCLE_TO_WAITING,
			LIFECYCLE_TO_HELD, LIFECYCLE_REFUSED,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_EXPIRED] = { LIFECYCLE_TO_FAILED,
			LIFECYCLE_TO_HELD, LIFECYCLE_REFUSED,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_FAILED] = { LIFECYCLE_TO_FAILED,
			LIFECYCLE_TO_FAILED, LIFECYCLE_REFUSED,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_RETRY] = { LIFECYCLE_TO_WAITING,
			LIFECYCLE_REFUSED, LIFECYCLE_TO_WAITING,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_HOLD] = { LIFECYCLE_TO_HELD, LIFECYCLE_REFUSED,
			LIFECYCLE_REFUSED, LIFECYCLE_REFUSED },
		    [LIFECYCLE_RELEASE] = { LIFECYCLE_REFUSED,
			LIFECYCLE_TO_WAITING, LIFECYCLE_REFUSED,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_REMOVE] = { LIFECYCLE_TO_GONE, LIFECYCLE_TO_GONE,
			LIFECYCLE_TO_GONE, LIFECYCLE_TO_GONE },
		    [LIFECYCLE_DAMAGED] = { LIFECYCLE_TO_HELD,
			LIFECYCLE_REFUSED, LIFECYCLE_REFUSED,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_BOUNCE] = { LIFECYCLE_TO_FAILED,
			LIFECYCLE_TO_FAILED, LIFECYCLE_TO_FAILED,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_TOLD] = { LIFECYCLE_REFUSED, LIFECYCLE_REFUSED,
			LIFECYCLE_TO_GONE, LIFECYCLE_TO_GONE },
		    [LIFECYCLE_REDIRECTED] = { LIFECYCLE_TO_GONE,
			LIFECYCLE_TO_GONE, LIFECYCLE_TO_GONE,
			LIFECYCLE_REFUSED },
		    [LIFECYCLE_WARNED] = { LIFECYCLE_TO_WAITING,
			LIFECYCLE_TO_HELD, LIFECYCLE_REFUSED,
			LIFECYCLE_REFUSED },
	    };

	(void)state;
	for (int s = 0; s < RECIPIENT_STATES; s++)
		for (int e = 0; e < LIFECYCLE_EVENTS; e++)
			assert_int_equal(lifecycle_step((enum recipient_state)s,
					     (enum lifecycle_event)e),
			    wanted[e][s]);
}

static void
test_a_message_comes_and_goes(void **state)
{
	struct lifecycle_result result;
	struct row_recipient row;
	uint64_t id = house_accept(&house, 4096, one);

	(void)state;
	house_is_sound(&house);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_WAITING);
	assert_int_equal(row.due, now());
	assert_string_equal(row.destination, "mx:example.com");
	assert_int_equal(house_count(&house, STORE_WAKE), 1);

	house_now += 500;
	house_report(
	    &house, id, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(result.applied);
	assert_true(result.message_gone);
	for (int table = 0; table < STORE_EVENT; table++)
		assert_int_equal(
		    house_count(&house, (enum store_table)table), 0);
	/* Its history stays, found by sender and recipient. */
	assert_int_equal(house_count(&house, STORE_EVENT), 2);
	assert_int_equal(house_count(&house, STORE_ADDRESS), 2);
}

static void
test_sizes_of_content(void **state)
{
	static const size_t sizes[] = { 0, 1, 2000, ROW_CHUNK_SIZE - 1,
		ROW_CHUNK_SIZE, ROW_CHUNK_SIZE + 1, (size_t)3 * ROW_CHUNK_SIZE,
		1000000 };
	static const unsigned int chunks[] = { 0, 1, 1, 1, 1, 2, 3, 31 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t id = house_accept(&house, sizes[i], one);
		struct row_message row = { .size = sizes[i] };
		struct lifecycle_result result;
		int fd;

		house_is_sound(&house);
		assert_int_equal(house_count(&house, STORE_CONTENT), chunks[i]);
		assert_int_equal(store_read_begin(house.store), 0);
		fd = store_content_load(house.store, id, &row);
		assert_int_not_equal(fd, -1);
		assert_int_equal(lseek(fd, 0, SEEK_END), sizes[i]);
		close(fd);
		row.size++;
		errno = 0;
		assert_int_equal(store_content_load(house.store, id, &row), -1);
		assert_int_equal(errno, EBADMSG);
		store_read_end(house.store);
		house_report(&house, id, 0, REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT, &result);
	}
	assert_int_equal(house_count(&house, STORE_CONTENT), 0);
}

static void
test_the_content_comes_back_as_it_was(void **state)
{
	struct submission *s = house_mail(ROW_CHUNK_SIZE + 100, one);
	uint64_t id = s->id;
	uint8_t before[ROW_CHUNK_SIZE + 100], after[ROW_CHUNK_SIZE + 100];
	struct row_key second = row_key_number(id, 1);
	struct row_message row = { .size = s->size };
	int fd;

	(void)state;
	assert_int_equal(
	    pread(s->fd, before, sizeof(before), 0), sizeof(before));
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_content_put(house.store, id, s->fd, s->size, &row.digest), 0);
	/* Known from elsewhere: this is what XXH3-64 says. */
	assert_true(row.digest == XXH3_64bits(before, sizeof(before)));
	fd = store_content_load(house.store, id, &row);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(after));
	assert_memory_equal(before, after, sizeof(before));
	close(fd);
	/* One bit, and it does not come back at all. */
	before[ROW_CHUNK_SIZE + 50] ^= 4;
	assert_int_equal(store_put(house.store, STORE_CONTENT, &second,
			     before + ROW_CHUNK_SIZE, 100),
	    0);
	errno = 0;
	assert_int_equal(store_content_load(house.store, id, &row), -1);
	assert_int_equal(errno, EBADMSG);
	/* Unless nobody knows what it was. */
	row.digest = 0;
	fd = store_content_load(house.store, id, &row);
	assert_int_not_equal(fd, -1);
	close(fd);
	store_write_abort(house.store);
	submission_free(&s);
}

static void
test_a_message_has_a_checksum(void **state)
{
	static const size_t sizes[] = { 0, 1, 100000 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t id = house_accept(&house, sizes[i], one);
		struct row_key key = row_key_id(id);
		struct row_message row;
		struct bytes value;

		assert_int_equal(store_read_begin(house.store), 0);
		assert_int_equal(
		    store_get(house.store, STORE_MESSAGE, &key, &value), 0);
		assert_int_equal(
		    row_message_decode(&row, value.data, value.length), 0);
		assert_true(row.digest != 0);
		store_read_end(house.store);
	}
}

static void
test_deferred_is_tried_later_and_later(void **state)
{
	struct lifecycle_result result;
	struct row_recipient row;
	uint64_t id = house_accept(&house, 100, one), due = now();

	(void)state;
	for (unsigned int attempt = 1; attempt <= 10; attempt++) {
		uint64_t most = 300U << (attempt - 1), delay;

		if (most > 14400)
			most = 14400;
		house_now = due * 1000 + 7;
		house_report(&house, id, 0, REPORT_DEFERRED,
		    REPORT_SCOPE_RECIPIENT, &result);
		assert_int_equal(result.event, LIFECYCLE_DEFERRED);
		house_is_sound(&house);
		assert_true(house_recipient(&house, id, 0, &row));
		assert_int_equal(row.attempts, attempt);
		assert_string_equal(row.reply, "450 4.2.1 not now");
		assert_string_equal(row.host, "mx.example.com [192.0.2.25]");
		delay = row.due - now();
		assert_true(delay <= most && delay >= most - most / 4);
		due = row.due;
	}
	assert_int_equal(house_count(&house, STORE_EVENT), 11);
}

/* Tries that no host answered do not lengthen the delay after the first that
 * one did. */
static void
test_a_host_that_was_down_answers(void **state)
{
	struct lifecycle_result result;
	struct row_recipient row;
	uint64_t id = house_accept(&house, 100, one);

	(void)state;
	for (int failure = 0; failure < 8; failure++) {
		house_report(&house, id, 0, REPORT_DEFERRED,
		    REPORT_SCOPE_DESTINATION, &result);
		assert_true(house_recipient(&house, id, 0, &row));
		assert_true(row.due > now());
		house_now = row.due * 1000;
	}
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.attempts, 9);
	assert_true(row.due > now() && row.due - now() <= 300);
}

static void
test_after_five_days_it_is_kept_as_failed(void **state)
{
	struct lifecycle_result result;
	struct row_recipient row;
	uint64_t id = house_accept(&house, 100, one);

	(void)state;
	house_now += 432000 * 1000ULL - 1000;
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	assert_int_equal(result.event, LIFECYCLE_DEFERRED);
	house_now += 1000;
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	assert_int_equal(result.event, LIFECYCLE_EXPIRED);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_FAILED);
	assert_int_equal(house_count(&house, STORE_DUE), 0);
	assert_int_equal(house_count(&house, STORE_WAKE), 0);
	assert_int_equal(house_count(&house, STORE_CONTENT), 1);
}

static void
test_failed_is_kept_until_somebody_decides(void **state)
{
	struct lifecycle_result result;
	struct row_recipient row;
	uint64_t id = house_accept(&house, 100, one);

	(void)state;
	house_report(
	    &house, id, 0, REPORT_FAILED, REPORT_SCOPE_RECIPIENT, &result);
	assert_false(result.message_gone);
	house_is_sound(&house);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_FAILED);
	assert_int_equal(house.lifecycle.totals.failed, 1);
	assert_false(house_act(&house, CTL_VERB_HOLD, id, 0));
	assert_false(house_act(&house, CTL_VERB_RELEASE, id, 0));
	assert_true(house_act(&house, CTL_VERB_RETRY, id, 0));
	house_is_sound(&house);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_WAITING);
	assert_int_equal(row.due, now());
	assert_true(house_act(&house, CTL_VERB_REMOVE, id, 0));
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
}

static void
test_the_message_stays_for_its_last_recipient(void **state)
{
	struct lifecycle_result result;
	uint64_t id = house_accept(&house, 70000, several);

	(void)state;
	assert_int_equal(house_count(&house, STORE_DESTINATION), 3);
	for (uint32_t i = 0; i < 4; i++) {
		house_is_sound(&house);
		assert_int_equal(house_count(&house, STORE_MESSAGE), 1);
		assert_int_equal(house_count(&house, STORE_CONTENT), 3);
		house_report(&house, id, i, REPORT_DELIVERED,
		    REPORT_SCOPE_RECIPIENT, &result);
		assert_int_equal(result.message_gone, i == 3);
	}
	assert_int_equal(house_count(&house, STORE_CONTENT), 0);
	assert_int_equal(house_count(&house, STORE_DESTINATION), 0);
}

static void
test_a_report_on_nothing_changes_nothing(void **state)
{
	struct lifecycle_result result;
	uint64_t id = house_accept(&house, 100, one);

	(void)state;
	house_report(
	    &house, id, 1, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	assert_false(result.applied);
	house_report(&house, id + 1, 0, REPORT_DELIVERED,
	    REPORT_SCOPE_RECIPIENT, &result);
	assert_false(result.applied);
	assert_int_equal(house_count(&house, STORE_RECIPIENT), 1);
	/* Removed while it was in flight. */
	assert_true(house_act(&house, CTL_VERB_REMOVE, id, 0));
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	assert_false(result.applied);
	assert_int_equal(house_count(&house, STORE_RECIPIENT), 0);
	assert_int_equal(house_count(&house, STORE_DUE), 0);
}

static void
test_held_stays_held_whatever_comes_back(void **state)
{
	struct lifecycle_result result;
	struct row_recipient row;
	uint64_t id = house_accept(&house, 100, one);

	(void)state;
	assert_true(house_act(&house, CTL_VERB_HOLD, id, 0));
	assert_false(house_act(&house, CTL_VERB_HOLD, id, 0));
	assert_false(house_act(&house, CTL_VERB_RETRY, id, 0));
	house_is_sound(&house);
	assert_int_equal(house_count(&house, STORE_DUE), 0);
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	house_is_sound(&house);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_HELD);
	assert_string_equal(row.reply, "450 4.2.1 not now");
	/* Five days do not matter to what is held. */
	house_now += 500000 * 1000ULL;
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_HELD);
	assert_true(house_act(&house, CTL_VERB_RELEASE, id, 0));
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.due, now());
	house_is_sound(&house);
	/* Held in flight, but delivered: gone. */
	assert_true(house_act(&house, CTL_VERB_HOLD, id, 0));
	house_report(
	    &house, id, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(result.message_gone);
}

static void
test_a_host_that_is_down_is_one_failure(void **state)
{
	struct lifecycle_result result;
	struct row_destination d;
	uint64_t ids[20], until;

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = house_accept(&house, 100, one);
	/* Five were in flight when the host went down. */
	for (size_t i = 0; i < 5; i++)
		house_report(&house, ids[i], 0, REPORT_DEFERRED,
		    REPORT_SCOPE_DESTINATION, &result);
	house_is_sound(&house);
	assert_true(house_destination(&house, "mx:example.com", &d));
	assert_int_equal(d.failures, 1);
	assert_int_equal(d.waiting, 20);
	assert_string_equal(d.reply, "450 4.2.1 not now");
	until = d.backoff_until;
	assert_true(until >= now() + 225 && until <= now() + 300);
	assert_int_equal(d.wake, until);
	/* New mail for it waits too; the wake index does not move. */
	ids[0] = house_accept(&house, 100, one);
	assert_true(house_destination(&house, "mx:example.com", &d));
	assert_int_equal(d.wake, until);
	assert_int_equal(house_count(&house, STORE_WAKE), 1);
	/* It fails again: longer. */
	house_now = until * 1000;
	house_report(&house, ids[7], 0, REPORT_DEFERRED,
	    REPORT_SCOPE_DESTINATION, &result);
	assert_true(house_destination(&house, "mx:example.com", &d));
	assert_int_equal(d.failures, 2);
	assert_true(d.backoff_until >= until + 450);
	/* Somebody there answers, if only with a refusal. */
	house_now = d.backoff_until * 1000;
	house_report(&house, ids[8], 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT,
	    &result);
	assert_true(house_destination(&house, "mx:example.com", &d));
	assert_int_equal(d.failures, 0);
	assert_int_equal(d.backoff_until, 0);
	assert_string_equal(d.reply, "");
	assert_true(d.wake <= now());
}

static void
test_retry_by_hand_ends_the_back_off(void **state)
{
	struct lifecycle_result result;
	struct row_destination d;
	uint64_t id = house_accept(&house, 100, local);

	(void)state;
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_DESTINATION, &result);
	assert_true(house_destination(&house, "local:alice", &d));
	assert_true(d.wake > now());
	assert_true(house_act(&house, CTL_VERB_RETRY, id, 0));
	assert_true(house_destination(&house, "local:alice", &d));
	assert_true(d.wake <= now() && d.wake != 0);
	assert_int_equal(d.backoff_until, 0);
}

static void
test_an_agent_s_death_says_nothing_of_the_host(void **state)
{
	struct lifecycle_report report = {
		.outcome = REPORT_DEFERRED,
		.scope = REPORT_SCOPE_MESSAGE,
		.host = "",
		.reply = "4.3.0 died",
		.unheard = true,
	};
	struct lifecycle_result result;
	struct row_destination d;
	struct row_totals before = house.lifecycle.totals;
	uint64_t first = house_accept(&house, 100, one), until;

	(void)state;
	report.id = house_accept(&house, 100, one);
	house_report(&house, first, 0, REPORT_DEFERRED,
	    REPORT_SCOPE_DESTINATION, &result);
	assert_true(house_destination(&house, "mx:example.com", &d));
	until = d.backoff_until;
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(lifecycle_apply_report(
			     &house.lifecycle, &report, house_now, &result),
	    0);
	free(result.line);
	assert_int_equal(
	    destinations_flush(&house.destinations, house.store, now()), 0);
	assert_int_equal(lifecycle_write_totals(&house.lifecycle, &before), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	assert_true(house_destination(&house, "mx:example.com", &d));
	assert_int_equal(d.backoff_until, until);
	assert_int_equal(d.failures, 1);
}

static uint64_t
accept_report(const struct telling *t)
{
	static const char *const sender[] = { "sender@local.test", NULL };
	struct submission *s = house_mail(100, sender);
	struct lifecycle_result result = { .applied = false };
	uint64_t id = s->id;

	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(lifecycle_accept(&house.lifecycle, s), 0);
	assert_int_equal(lifecycle_apply_telling(
			     &house.lifecycle, t, id, house_now, &result),
	    0);
	assert_true(result.applied);
	free(result.line);
	submission_free(&s);
	return id;
}

static void
commit_all(const struct row_totals *before)
{
	assert_int_equal(
	    destinations_flush(&house.destinations, house.store, now()), 0);
	assert_int_equal(lifecycle_write_totals(&house.lifecycle, before), 0);
	assert_int_equal(store_write_commit(house.store), 0);
}

/* The report and what it tells: both on the disk, or neither. */
static void
test_a_crash_around_a_report(void **state)
{
	struct lifecycle_result result;
	struct row_recipient row;
	struct row_totals before;
	struct telling t = { .count = 1, .to = "sender@local.test" };
	uint64_t report;

	(void)state;
	t.id = house_accept(&house, 100, several);
	t.time = now() + TELL_GATHER;
	t.recipients[0] = (struct telling_recipient){ 1, TELL_FAILURE };
	house_report(
	    &house, t.id, 1, REPORT_FAILED, REPORT_SCOPE_RECIPIENT, &result);
	assert_int_equal(house_count(&house, STORE_REPORT), 1);

	report = accept_report(&t);
	store_write_abort(house.store);
	house_crash(&house);
	house_is_sound(&house);
	assert_true(house_recipient(&house, t.id, 1, &row));
	assert_int_equal(row.state, RECIPIENT_FAILED);
	assert_false(house_recipient(&house, report, 0, &row));
	assert_int_equal(house_count(&house, STORE_REPORT), 1);

	before = house.lifecycle.totals;
	report = accept_report(&t);
	commit_all(&before);
	house_crash(&house);
	assert_false(house_recipient(&house, t.id, 1, &row));
	assert_true(house_recipient(&house, report, 0, &row));
}

/* What nobody wants to know of does not stay. */
static void
test_nobody_is_told(void **state)
{
	struct submission *s = house_mail(100, one);
	struct row_totals before = house.lifecycle.totals;
	struct lifecycle_result result;

	(void)state;
	s->recipients[0].notify = DSN_NOTIFY_NEVER;
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(lifecycle_accept(&house.lifecycle, s), 0);
	commit_all(&before);
	house_crash(&house);
	house_report(
	    &house, s->id, 0, REPORT_FAILED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(result.message_gone);
	assert_int_equal(house_count(&house, STORE_MESSAGE), 0);
	assert_int_equal(house_count(&house, STORE_REPORT), 0);
	submission_free(&s);
}

/* Success that was asked for waits for its report; a warning changes only
 * what has been told. */
static void
test_success_and_delay_are_settled(void **state)
{
	static const char *const two[] = { "alice@local.test", "u@example.com",
		NULL };
	struct submission *s = house_mail(100, two);
	struct row_totals before = house.lifecycle.totals;
	struct lifecycle_result result;
	struct row_recipient row;
	struct telling t = { .count = 2, .id = s->id };
	uint64_t due;

	(void)state;
	t.recipients[0] = (struct telling_recipient){ 0, TELL_SUCCESS };
	t.recipients[1] = (struct telling_recipient){ 1, TELL_DELAY };
	s->recipients[0].notify = DSN_NOTIFY_SUCCESS;
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(lifecycle_accept(&house.lifecycle, s), 0);
	commit_all(&before);
	house_crash(&house);
	submission_free(&s);
	house_report(
	    &house, t.id, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(house_recipient(&house, t.id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_DELIVERED);
	assert_false(house_act(&house, CTL_VERB_RETRY, t.id, 0));
	house_is_sound(&house);
	assert_true(house_recipient(&house, t.id, 1, &row));
	due = row.due;

	before = house.lifecycle.totals;
	accept_report(&t);
	commit_all(&before);
	house_crash(&house);
	house_is_sound(&house);
	assert_false(house_recipient(&house, t.id, 0, &row));
	assert_true(house_recipient(&house, t.id, 1, &row));
	assert_int_equal(row.state, RECIPIENT_WAITING);
	assert_int_equal(row.due, due);
	assert_int_equal(row.told, DSN_TOLD_DELAY);
}

static void
test_an_id_is_accepted_once(void **state)
{
	struct submission *s = house_mail(100, one);
	struct lifecycle_result result;

	(void)state;
	s->id = house_accept(&house, 100, one);
	for (int gone = 0; gone < 2; gone++) {
		assert_int_equal(store_write_begin(house.store), 0);
		errno = 0;
		assert_int_equal(lifecycle_accept(&house.lifecycle, s), -1);
		assert_int_equal(errno, EEXIST);
		assert_int_equal(store_write_commit(house.store), 0);
		house_is_sound(&house);
		/* Not even when the first one is gone. */
		if (gone == 0)
			house_report(&house, s->id, 0, REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT, &result);
	}
	submission_free(&s);
}

static void
test_content_that_cannot_be_read_spoils_nothing(void **state)
{
	struct submission *s = house_mail(100, one);
	struct row_totals before = house.lifecycle.totals;

	(void)state;
	s->size = UINT64_C(2) * ROW_CHUNK_SIZE;
	assert_int_equal(store_write_begin(house.store), 0);
	errno = 0;
	assert_int_equal(lifecycle_accept(&house.lifecycle, s), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(store_write_commit(house.store), 0);
	assert_memory_equal(&before, &house.lifecycle.totals, sizeof(before));
	for (int table = 0; table < STORE_META; table++)
		assert_int_equal(
		    house_count(&house, (enum store_table)table), 0);
	submission_free(&s);
}

static void
set_aside(const char *destination, const struct row_place *place)
{
	struct lifecycle_result result;
	struct row_totals before = house.lifecycle.totals;

	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(lifecycle_set_aside(&house.lifecycle, destination,
			     place, "damaged", house_now, &result),
	    0);
	free(result.line);
	assert_int_equal(
	    destinations_flush(&house.destinations, house.store, now()), 0);
	assert_int_equal(lifecycle_write_totals(&house.lifecycle, &before), 0);
	assert_int_equal(store_write_commit(house.store), 0);
}

static void
test_what_is_damaged_is_held(void **state)
{
	uint64_t id = house_accept(&house, 100, one);
	struct row_place place = { now(), id, 0 };
	struct row_recipient row;

	(void)state;
	set_aside("mx:example.com", &place);
	house_is_sound(&house);
	assert_true(house_recipient(&house, id, 0, &row));
	assert_int_equal(row.state, RECIPIENT_HELD);
	assert_string_equal(row.reply, "damaged");
}

/* Without them the queue would not start. */
static void
test_damaged_totals_are_counted_again(void **state)
{
	struct row_key key = row_key_text("totals");
	struct row_totals before;
	uint64_t id;

	(void)state;
	id = house_accept(&house, 100, several);
	house_accept(&house, 200, one);
	assert_true(house_act(&house, CTL_VERB_HOLD, id, 1));
	before = house.lifecycle.totals;
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(store_put(house.store, STORE_META, &key, "rot", 3), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	house_crash(&house);
	assert_memory_equal(&before, &house.lifecycle.totals, sizeof(before));
	assert_int_equal(before.messages, 2);
	assert_int_equal(before.held, 1);
	house_accept(&house, 300, one); /* and written again */
	house_is_sound(&house);
}

static void
test_a_row_that_cannot_be_read_is_never_due_again(void **state)
{
	uint64_t id = house_accept(&house, 100, one);
	struct row_place place = { now(), id, 0 };
	struct row_key key = row_key_number(id, 0);
	struct lifecycle_result result;

	(void)state;
	assert_int_equal(store_write_begin(house.store), 0);
	assert_int_equal(
	    store_put(house.store, STORE_RECIPIENT, &key, "rot", 3), 0);
	assert_int_equal(store_write_commit(house.store), 0);
	/* No report on it is believed, and none stops the others. */
	house_report(
	    &house, id, 0, REPORT_DELIVERED, REPORT_SCOPE_RECIPIENT, &result);
	assert_false(result.applied);
	set_aside("mx:example.com", &place);
	assert_int_equal(house_count(&house, STORE_DUE), 0);
	assert_int_equal(house_count(&house, STORE_WAKE), 0);
	/* For the proof at the end. */
	assert_int_equal(store_write_begin(house.store), 0);
	for (int table = 0; table <= STORE_META; table++) {
		struct row_key start = { .length = 1 };
		struct bytes k, v;

		while (store_seek(house.store, (enum store_table)table, &start,
			   &k, &v) == 0)
			assert_int_equal(store_delete_here(house.store,
					     (enum store_table)table),
			    0);
	}
	assert_int_equal(store_write_commit(house.store), 0);
	memset(&house.lifecycle.totals, 0, sizeof(house.lifecycle.totals));
}

/* A long random life: whatever happens, the store agrees with itself. */
static void
test_a_random_life(void **state)
{
	uint64_t ids[64] = { 0 };
	unsigned int seed = 4711;

	(void)state;
	for (int step = 0; step < 3000; step++) {
		size_t i = (size_t)rand_r(&seed) % COUNT(ids);
		unsigned int what = (unsigned int)rand_r(&seed) % 8;
		uint32_t number = (uint32_t)rand_r(&seed) % 4;
		struct lifecycle_result result;

		house_now += (uint64_t)(rand_r(&seed) % 600000);
		if (what < 2)
			ids[i] = house_accept(&house,
			    (size_t)(rand_r(&seed) % 70000),
			    what == 0 ? several : local);
		else if (what < 5)
			house_report(&house, ids[i], number,
			    (enum report_outcome)(
				rand_r(&seed) % REPORT_OUTCOMES),
			    (enum report_scope)(rand_r(&seed) % REPORT_SCOPES),
			    &result);
		else
			(void)house_act(&house,
			    (enum ctl_verb)(rand_r(&seed) % CTL_VERBS), ids[i],
			    number);
		if (step % 50 == 0)
			house_is_sound(&house);
		if (step % 500 == 0)
			house_crash(&house);
	}
}

/* What the client said about reports is there for whoever makes them, also
 * after a restart and a change of the row. */
static void
test_wishes_for_reports_are_kept(void **state)
{
	static const char *const to[] = { "u@example.com", NULL };
	uint64_t id = house_accept(&house, 10, to);
	struct row_key key = row_key_id(id);
	struct lifecycle_result result;
	struct row_recipient r;
	struct row_message m;
	struct bytes value;

	(void)state;
	house_crash(&house);
	house_report(
	    &house, id, 0, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT, &result);
	assert_true(house_recipient(&house, id, 0, &r));
	assert_int_equal(r.notify, DSN_NOTIFY_FAILURE);
	assert_string_equal(r.orcpt, "rfc822;a@b.c");
	assert_int_equal(r.told, 0);
	assert_int_equal(store_read_begin(house.store), 0);
	assert_int_equal(
	    store_get(house.store, STORE_MESSAGE, &key, &value), 0);
	assert_int_equal(row_message_decode(&m, value.data, value.length), 0);
	assert_int_equal(m.ret, DSN_RET_HDRS);
	assert_string_equal(m.envid, "QQ314159");
	store_read_end(house.store);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_and_event),
		TEST(test_a_message_comes_and_goes),
		TEST(test_wishes_for_reports_are_kept),
		TEST(test_sizes_of_content),
		TEST(test_the_content_comes_back_as_it_was),
		TEST(test_a_message_has_a_checksum),
		TEST(test_deferred_is_tried_later_and_later),
		TEST(test_a_host_that_was_down_answers),
		TEST(test_after_five_days_it_is_kept_as_failed),
		TEST(test_failed_is_kept_until_somebody_decides),
		TEST(test_the_message_stays_for_its_last_recipient),
		TEST(test_a_report_on_nothing_changes_nothing),
		TEST(test_held_stays_held_whatever_comes_back),
		TEST(test_a_host_that_is_down_is_one_failure),
		TEST(test_retry_by_hand_ends_the_back_off),
		TEST(test_an_agent_s_death_says_nothing_of_the_host),
		TEST(test_a_crash_around_a_report),
		TEST(test_nobody_is_told),
		TEST(test_success_and_delay_are_settled),
		TEST(test_an_id_is_accepted_once),
		TEST(test_content_that_cannot_be_read_spoils_nothing),
		TEST(test_what_is_damaged_is_held),
		TEST(test_damaged_totals_are_counted_again),
		TEST(test_a_row_that_cannot_be_read_is_never_due_again),
		TEST(test_a_random_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
