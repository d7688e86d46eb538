/*
 * What a destination has that is due, read from the store in the open read
 * transaction. What cannot be read is set aside here: it is never handed out.
 */
#ifndef QUEUE_COLLECT_H
#define QUEUE_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct destination;
struct lifecycle;

void collect_begin(struct lifecycle *);

/* Fills the delivery with due recipients of one message of its destination,
 * and a flight for each; count 0 if nothing is due. `lane.next_due` then says
 * when something is, 0 for never. */
void collect_recipients(struct delivery *);
/* Opens the content. -1: there is nothing to hand out after all, and no flight
 * is left; try the destination again. */
int collect_content(struct delivery *) __attribute__((warn_unused_result));
/* Nobody took it: the flights end, and the destination waits a little. */
void collect_give_back(struct delivery *);

/* A host that is down is tried with one message at a time, for all: what has
 * waited for it for long enough expires without a try of its own, and what has
 * waited for so long that its sender is to be warned counts as tried. Starts a
 * look at all of its mail. */
void collect_sweep(struct destination *);
/* Goes on with it, a bounded step. True if it noted something: go on after the
 * commit. */
bool collect_sweep_step(struct destination *);

#endif
