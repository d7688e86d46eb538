/*
 * A link to a neighbour that asks: each QUESTION gets its ANSWER, in any
 * order, and within LIMIT_QUESTION_SECONDS. A link that ends takes its
 * questions with it.
 */
#ifndef RESOLVER_LINK_H
#define RESOLVER_LINK_H

#include <stdbool.h>

#include "common/child.h"

struct event_base;

/* Starts the watchdog of the questions. Exits if it fails. */
void link_init(struct event_base *);
/* Takes the peer's descriptor. A peer that may not ask is refused. */
void link_open(const struct child_peer *);
/* The process ends with the last link. */
void link_drain(void);

#endif
