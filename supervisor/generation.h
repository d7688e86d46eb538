/*
 * The processes of one reading of the configuration, as a whole.
 */
#ifndef SUPERVISOR_GENERATION_H
#define SUPERVISOR_GENERATION_H

#include "supervisor/house.h"

/* Opens the listening sockets, sharing those that the current generation also
 * has, and adds the processes, not yet running. NULL if that fails; `errors`
 * then says why, and nothing has changed. */
struct generation *generation_new(struct house *, struct settings *take,
    FILE *errors) __attribute__((warn_unused_result));
/* Starts its processes but the front ones. */
void generation_start(struct generation *, struct house *);
/* Makes it the current one: the lasting processes get its configuration and
 * are linked to it, and its front processes start. */
void generation_join(struct generation *, struct house *);
/* Are all of its processes at work, or all but the front ones? */
bool generation_is_ready(const struct generation *, const struct house *);
bool generation_may_join(const struct generation *, const struct house *);
/* Kills what is left of it. */
void generation_kill(struct generation *, struct house *, const char *why);
/* Forgets drained generations that have no process any more. */
void generation_sweep(struct house *);

#endif
