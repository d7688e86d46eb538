/*
 * What the supervisor does all day: waits for signals, for what its children
 * report, and for their death.
 */
#ifndef SUPERVISOR_SUPERVISE_H
#define SUPERVISOR_SUPERVISE_H

#include "supervisor/house.h"

/* Puts the signal handlers on the event loop, and ours on the processes of
 * the house; before the first of them starts. -1 if the loop refuses. */
int supervise_start(struct house *) __attribute__((warn_unused_result));

#endif
