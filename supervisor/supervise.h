/*
 * What the supervisor does all day: waits for signals, and for the death of
 * its children.
 */
#ifndef SUPERVISOR_SUPERVISE_H
#define SUPERVISOR_SUPERVISE_H

#include "supervisor/house.h"

/* Puts the signal handlers on the event loop. -1 if it refuses. */
int supervise_start(struct house *) __attribute__((warn_unused_result));
/* A process has become ready. */
void supervise_ready(struct house *);

#endif
