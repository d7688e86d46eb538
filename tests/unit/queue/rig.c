#include "tests/unit/queue/rig.h"

#include <time.h>

#include <event2/event.h>

#include "queue/commit.h"
#include "queue/content_cache.h"
#include "queue/pause.h"
#include "queue/stats.h"
#include "queue/turn.h"

struct house rig_house;
static struct event_base *base;
struct rig_given rig_given[RIG_MOST_DELIVERIES]; /* every one, in order */
unsigned int rig_given_count;
static unsigned int turns;
enum agent_state rig_agent;
struct lifecycle_report rig_refusal;
bool rig_agent_lacks;
useconds_t rig_agent_takes;
unsigned int rig_answers_250;

void
turn_soon(void)
{
	turns++;
}

/* -- Agents --------------------------------------------------------------- */

static enum agent_state
fake_ready(struct destination *d, struct lifecycle_report *report)
{
	(void)d;
	*report = rig_refusal;
	return rig_agent;
}

static int
fake_deliver(const struct delivery *delivery)
{
	struct rig_given *g = &rig_given[rig_given_count];

	nanosleep(
	    &(struct timespec){ .tv_nsec = rig_agent_takes * 1000L }, NULL);
	if (rig_agent_lacks) {
		close(delivery->fd);
		return -1;
	}
	rig_given_count++;
	assert_true(rig_given_count < RIG_MOST_DELIVERIES);
	assert_true(delivery->count > 0);
	assert_int_not_equal(delivery->fd, -1);
	if (delivery->message.sender[0] != '\0') /* a report is not ours */
		house_is_content(delivery->fd, delivery->message.size);
	close(delivery->fd);
	g->id = delivery->id;
	g->size = delivery->message.size;
	g->destination = delivery->destination;
	g->count = delivery->count;
	g->fresh = delivery->fresh;
	g->open = true;
	for (unsigned int i = 0; i < delivery->count; i++) {
		g->flights[i] = delivery->flights[i];
		g->numbers[i] = delivery->flights[i]->number;
		assert_int_equal(
		    delivery->recipients[i].state, RECIPIENT_WAITING);
	}
	return 0;
}

static const struct delivery_agents agents = {
	.ready = fake_ready,
	.deliver = fake_deliver,
};

void
rig_report(
    struct rig_given *g, enum report_outcome outcome, enum report_scope scope)
{
	struct lifecycle_report r = {
		.outcome = outcome,
		.scope = scope,
		.host = "h",
		.reply = "what it said",
	};

	assert_true(g->open);
	g->open = false;
	for (unsigned int i = 0; i < g->count; i++)
		scheduler_report(g->flights[i], &r);
	scheduler_delivery_end(g->destination, g->size, false);
}

void
rig_lose(struct rig_given *g)
{
	assert_true(g->open);
	g->open = false;
	for (unsigned int i = 0; i < g->count; i++)
		scheduler_lost(g->flights[i]);
	scheduler_delivery_end(g->destination, g->size, true);
}

unsigned int
rig_open(const char *name)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < rig_given_count; i++)
		if (rig_given[i].open &&
		    (name == NULL ||
			strcmp(rig_given[i].destination->name, name) == 0))
			count++;
	return count;
}

struct rig_given *
rig_first_open(const char *name)
{
	for (unsigned int i = 0; i < rig_given_count; i++)
		if (rig_given[i].open &&
		    strcmp(rig_given[i].destination->name, name) == 0)
			return &rig_given[i];
	fail_msg("nothing is in flight to %s", name);
	return rig_given;
}

/* -- The house ------------------------------------------------------------ */

static void
on_gathered(bool full)
{
	(void)full;
}

static void
on_accepted(struct submission *s)
{
	int fd = s->fd;

	s->fd = -1;
	content_cache_keep(s->id, s->size, fd);
}

static const struct commit_handler handler = {
	.gathered = on_gathered,
	.accepted = on_accepted,
	.landed = scheduler_landed,
	.gone = content_cache_drop,
	.committed = scheduler_committed,
	.resumed = scheduler_resume,
	.stalled = scheduler_pause,
};

void
rig_start(void)
{
	assert_int_equal(store_read_begin(rig_house.store), 0);
	assert_int_equal(pause_load(rig_house.store), 0);
	store_read_end(rig_house.store);
	assert_int_equal(commit_start(NULL, &rig_house.lifecycle, &handler), 0);
	assert_int_equal(
	    scheduler_start(base, &rig_house.lifecycle, &agents), 0);
}

int
rig_set_up(void **state)
{
	(void)state;
	memset(&stats, 0, sizeof(stats));
	house_now = UINT64_C(1800000000000);
	house_open(&rig_house, 256 * MIB);
	base = event_base_new();
	assert_non_null(base);
	rig_given_count = 0;
	rig_agent = AGENT_READY;
	rig_agent_lacks = false;
	rig_agent_takes = 0;
	rig_answers_250 = 0;
	rig_start();
	return 0;
}

/* On a slow machine that takes several turns. */
static void
dispatch(void)
{
	unsigned int before;

	do {
		before = turns;
		scheduler_dispatch();
	} while (turns > before && !commit_is_full());
}

void
rig_run(void)
{
	dispatch();
	commit_run();
	dispatch();
}

void
rig_run_all(void)
{
	unsigned int left = 100000;

	do {
		assert_int_not_equal(left--, 0);
		turns = 0;
		rig_run();
	} while (turns > 0 && scheduler_in_flight(ROUTE_MX) == 0 &&
		 scheduler_in_flight(ROUTE_MAILBOX) == 0);
}

void
rig_end(void)
{
	scheduler_stop();
	content_cache_clear();
	event_base_free(base);
	house_close(&rig_house);
}

/* What is still in flight is rig_given back first. */
int
rig_tear_down(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < rig_given_count; i++)
		if (rig_given[i].open)
			rig_report(&rig_given[i], REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT);
	commit_run();
	assert_int_equal(flight_count(), 0);
	house_is_sound(&rig_house);
	rig_end();
	return 0;
}

void
rig_on_answer(struct submission *s, unsigned int code, const char *reply)
{
	(void)s;
	(void)reply;
	assert_int_equal(code, 250);
	rig_answers_250++;
}

static uint64_t
submit(size_t size, const char *const *recipients)
{
	struct submission *s = house_mail(size, recipients);
	uint64_t id = s->id;

	s->answer = rig_on_answer;
	commit_submission(s);
	return id;
}

uint64_t
rig_submit(const char *const *recipients)
{
	return submit(300, recipients);
}

uint64_t
rig_submit_large(const char *address, size_t size)
{
	return submit(size, (const char *const[]){ address, NULL });
}

uint64_t
rig_submit_one(const char *address)
{
	return rig_submit((const char *const[]){ address, NULL });
}

void
rig_submit_many(const char *address, unsigned int count)
{
	while (count-- > 0)
		rig_submit_one(address);
}

/* Waits until the real clock has moved on, and timers with it. */
void
rig_wait_ms(long milliseconds)
{
	struct timeval time = { milliseconds / 1000,
		milliseconds % 1000 * 1000 };

	event_base_loopexit(base, &time);
	event_base_dispatch(base);
}
