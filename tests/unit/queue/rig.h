/*
 * The real store, commit and scheduler, between a fake router and agents that
 * do what the test says.
 */
#ifndef TESTS_UNIT_QUEUE_RIG_H
#define TESTS_UNIT_QUEUE_RIG_H

#include "tests/unit/queue/test.h"

#include "queue/delivery.h"
#include "queue/flight.h"
#include "queue/scheduler.h"

#define RIG_MOST_DELIVERIES 20000

/* A delivery that an agent was given. */
struct rig_given {
	uint64_t id, size;
	uint32_t numbers[DELIVERY_RECIPIENTS];
	struct destination *destination;
	struct flight *flights[DELIVERY_RECIPIENTS];
	unsigned int count;
	bool fresh;
	bool open; /* not yet reported, nor lost */
};

extern struct house rig_house;
extern struct rig_given rig_given[RIG_MOST_DELIVERIES]; /* in order */
extern unsigned int rig_given_count;
/* What the agents say when they are asked, and why they refuse. */
extern enum agent_state rig_agent;
extern struct lifecycle_report rig_refusal;
extern bool rig_agent_lacks;	   /* they do not take what they are given */
extern useconds_t rig_agent_takes; /* to be given one */
/* How many submissions were answered; any other answer fails the test. */
extern unsigned int rig_answers_250;

#define RIG_TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
int rig_set_up(void **);
/* Ends what is still in flight, and proves that the store is whole. */
int rig_tear_down(void **);
/* Nothing may be in flight; the store need not be whole. */
void rig_end(void);
/* Commit and scheduler, for rig_house. */
void rig_start(void);

/* A turn of the queue; as many as it wants while nothing is in flight. */
void rig_run(void);
void rig_run_all(void);
/* Waits until the real clock has moved on, and timers with it. */
void rig_wait_ms(long milliseconds);

/* These are only in the batch until the next turn. */
uint64_t rig_submit(const char *const *recipients);
void rig_on_answer(struct submission *, unsigned int code, const char *reply);
uint64_t rig_submit_one(const char *address);
uint64_t rig_submit_large(const char *address, size_t size);
void rig_submit_many(const char *address, unsigned int count);

void rig_report(struct rig_given *, enum report_outcome, enum report_scope);
/* Its agent has died. */
void rig_lose(struct rig_given *);
/* Deliveries in flight to a destination, or, NULL, to all; the first of them,
 * which must be there. */
unsigned int rig_open(const char *destination);
struct rig_given *rig_first_open(const char *destination);

#endif
