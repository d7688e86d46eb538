/*
 * What is handed to the agents, and when.
 *
 * Due recipients are grouped by destination. Destinations that have due mail
 * take turns, a delivery each, so that one with a long queue delays nobody;
 * those with fresh mail have three turns of four while there are others, so
 * that it goes at once although a hundred thousand wait with old mail;
 * each has a window of deliveries at once that grows while they succeed and
 * halves when the host fails, and no more than a fair share of all; how hosts
 * that hang are kept from having all is in scheduler_share.h. The store
 * is asked for the next recipient each time: nothing is kept of what waits.
 */
#ifndef QUEUE_SCHEDULER_H
#define QUEUE_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mail.h"

struct delivery_agents;
struct destination;
struct event_base;
struct flight;
struct lifecycle;
struct lifecycle_report;

/* The windows. Local mail goes in batches, so more of it is under way. */
#define SCHEDULER_WINDOW_FIRST 5
#define SCHEDULER_WINDOW_MOST 20
#define SCHEDULER_WINDOW_LOCAL 128
/* Deliveries in flight in all; destinations that have none yet may exceed the
 * number by as much again, so that newcomers do not wait for long queues. See
 * scheduler_share.h for who may. */
#define SCHEDULER_REMOTE 512
#define SCHEDULER_LOCAL 4096
/* Octets of the contents in flight, of local and of remote mail each, since
 * every one is a memfd; small ones are bounded by their number. One may always
 * go. */
#define SCHEDULER_OCTETS (UINT64_C(1024) * 1024 * 1024)
#define SCHEDULER_SMALL 65536
/* Destinations that have due mail and are in memory, of local and of remote
 * ones each; the others wait in the wake index. */
#define SCHEDULER_ACTIVE 4096
/* So many more have fresh mail; half of these places may be taken by sound ones
 * whose old mail comes due, since they stay in memory anyway. */
#define SCHEDULER_FRESH 2048

/* `base` may be NULL: then there are no timers. */
int scheduler_start(struct event_base *, struct lifecycle *,
    const struct delivery_agents *) __attribute__((warn_unused_result));
void scheduler_stop(void);

/* Hands out what is due. Not inside a transaction. */
void scheduler_dispatch(void);
/* Takes up destinations whose time has come. Not inside a transaction. */
void scheduler_wake(void);
/* A batch was committed. */
void scheduler_committed(void);
/* The commit dealt with this recipient. Takes the flight. */
void scheduler_landed(struct flight *);
/* The administrator lets what was paused go on. Not inside a transaction. */
void scheduler_resume(void);
/* Hand out nothing (more): the store cannot be written, or we are to end. */
void scheduler_pause(bool);

/* From the agents. A report takes the flight. */
void scheduler_report(struct flight *, const struct lifecycle_report *);
/* The agent is gone, and nobody knows: due again at once, or nearly. */
void scheduler_lost(struct flight *);
/* `size` of the message that was handed out. */
void scheduler_delivery_end(
    struct destination *, uint64_t size, bool agent_lost);
void scheduler_agent_ready(enum route_kind, const char *destination);
void scheduler_slot_free(enum route_kind);

/* Deliveries at agents now. */
unsigned int scheduler_in_flight(enum route_kind);
unsigned int scheduler_active(void);

#endif
