/*
 * Where a destination waits, and for what: the lists, the two timers and the
 * wake index. It comes to LANE_READY here; what then becomes of it is
 * scheduler.c's.
 */
#ifndef QUEUE_SCHEDULER_LANE_H
#define QUEUE_SCHEDULER_LANE_H

#include <stdbool.h>
#include <stdint.h>

struct destination;
struct event_base;
struct lifecycle;

/* `base` may be NULL: then there are no timers. */
int lane_begin(struct event_base *, struct lifecycle *)
    __attribute__((warn_unused_result));
void lane_end(void);

/* Its turn will come. */
void lane_be_ready(struct destination *);
/* Until `next_due`, wall time, or if that is 0 until `lane.not_before`. */
void lane_be_later(struct destination *, uint64_t next_due);
/* Nothing to hand out: busy with what is in flight, or idle. */
void lane_be_quiet(struct destination *);
/* Until another one needs less. */
void lane_be_full(struct destination *);
bool lane_is_full(const struct destination *);
/* Its stored part has changed: has it mail that is due? */
void lane_consider(struct destination *);

/* An agent was lost, or something lacked, just now. */
bool lane_must_wait(const struct destination *);
bool lane_is_backing_off(const struct destination *);
/* Not idle ones, local or remote. */
unsigned int lane_active(bool local);

/* Takes up from the wake index whose time has come. Not inside a transaction.
 */
void lane_look(void);
/* The same, if there was no place for all before and now there is. */
void lane_refill(void);

#endif
