/*
 * The wiring: a fresh socket pair for each two processes that the matrix
 * links and that belong together.
 */
#ifndef SUPERVISOR_LINKS_H
#define SUPERVISOR_LINKS_H

#include "supervisor/house.h"

/* Links a process that has just been started to all its living neighbours. */
void links_make(struct process *);
/* Have they business with each other, and are both there? */
bool links_may_be(const struct process *, const struct process *);
/* Makes a new link between two that may have one. -1 with errno. */
int links_join_two(struct process *, struct process *)
    __attribute__((warn_unused_result));
/* Its generation has just joined: links it to the lasting ones. */
void links_join(struct process *);

#endif
