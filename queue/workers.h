/*
 * The local workers: one for each user that has mail now, kept for a while
 * when it is idle, because the next message may come soon.
 */
#ifndef QUEUE_WORKERS_H
#define QUEUE_WORKERS_H

#include "queue/delivery.h"

struct event_base;
struct lifecycle_report;

int workers_start(struct event_base *) __attribute__((warn_unused_result));
/* Finds the worker of a "local:" destination, or hires one. */
enum agent_state workers_ready(
    const struct destination *, struct lifecycle_report *refusal);
int workers_deliver(const struct delivery *)
    __attribute__((warn_unused_result));

#endif
