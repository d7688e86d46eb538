/*
 * What a new process is told: the start contract in order, and to its
 * neighbours that it is there.
 */
#ifndef SUPERVISOR_INTRODUCE_H
#define SUPERVISOR_INTRODUCE_H

#include "supervisor/house.h"

void introduce(struct process *);
/* The configuration of its generation, also to a running process. */
void introduce_config(struct process *);

#endif
