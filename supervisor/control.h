/*
 * The control sockets in the run directory: `control` and `users`, which the
 * queue listens on, the first for administrators, the second for everybody;
 * and `supervisor`, where root asks for a reload.
 */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include "supervisor/house.h"

/* Makes them, in place of any that a former supervisor left. Exits with a
 * message if it cannot. */
void control_open(struct house *, const struct config *);
/* Serves ours (requests.h). -1 with errno. */
int control_start(struct house *) __attribute__((warn_unused_result));
/* Removes them. */
void control_close(void);

#endif
