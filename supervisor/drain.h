/*
 * Ending processes in order: each is told to finish when nobody of its
 * generation needs it any more (programs.c says who needs whom), and is killed
 * if it takes too long.
 */
#ifndef SUPERVISOR_DRAIN_H
#define SUPERVISOR_DRAIN_H

#include "supervisor/house.h"

/* How long sessions of an old generation may go on after a reload. */
#define DRAIN_RELOAD_SECONDS 300

/* A generation that a reload has replaced. */
void drain_generation(struct generation *, struct house *);
/* The whole house, within five seconds; the event loop ends then. */
void drain_house(struct house *);
/* Is this process one that ends and does not come back? */
bool drain_concerns(const struct process *);
/* Somebody is gone: whose turn is it? */
void drain_step(struct house *);

#endif
