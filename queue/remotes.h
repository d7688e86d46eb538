/*
 * The remote workers: those of the newest generation get new deliveries, the
 * older ones finish what they have. A destination always goes to the same
 * worker, so that its connections are used again.
 */
#ifndef QUEUE_REMOTES_H
#define QUEUE_REMOTES_H

#include <stdint.h>

#include "queue/delivery.h"

struct child_peer;
struct event_base;

int remotes_start(struct event_base *) __attribute__((warn_unused_result));
/* Takes the descriptor. */
void remotes_add(const struct child_peer *);
enum agent_state remotes_ready(const struct destination *);
int remotes_deliver(const struct delivery *)
    __attribute__((warn_unused_result));

#endif
