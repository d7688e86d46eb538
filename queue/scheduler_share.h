/*
 * How many deliveries a destination may have at once: its own window, and its
 * share of all.
 */
#ifndef QUEUE_SCHEDULER_SHARE_H
#define QUEUE_SCHEDULER_SHARE_H

#include <stdbool.h>

#include "common/mail.h"

struct destination;

void share_begin(void);
bool share_is_local(const struct destination *);
/* The window: grows with each success, halves if the host is down; a host that
 * was down is asked with one delivery first. */
unsigned int share_window(struct destination *);
void share_grow(struct destination *);
void share_halve(struct destination *);
/* May it have one more, as far as all the others are concerned? */
bool share_is_left(const struct destination *);
/* A delivery begins and ends. */
void share_take(struct destination *);
void share_give_back(struct destination *);
unsigned int share_in_flight(enum route_kind);

#endif
