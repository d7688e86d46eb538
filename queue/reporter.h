/*
 * Reports to senders: made when the index says that their time has come, and
 * given to a router, since the way to a sender is for a router to find. It
 * sends them back as it does all mail, and the commit that accepts one settles
 * what it tells.
 *
 * If the sender's address is refused the administrator gets a notice instead,
 * and so for mail that has no sender; if he cannot be reached either, the
 * recipients stay failed, and the log says so. Everything else is tried again.
 */
#ifndef QUEUE_REPORTER_H
#define QUEUE_REPORTER_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct event_base;
struct lifecycle;
struct telling;

/* Reports at routers at once. Each holds one memfd here. */
#define REPORTER_OUT 16

/* `config` points to what is valid at the time of each use. */
int reporter_start(struct event_base *, struct lifecycle *,
    struct config *const *config) __attribute__((warn_unused_result));
/* A batch was committed, or a router has come: look whether there is
 * something to do. Not inside a transaction. */
void reporter_look(void);

/* Is a report about this message at a router, or being written? */
bool reporter_is_telling(uint64_t id);
/* Make none: the store cannot be written, so that none could be accepted. */
void reporter_pause(bool);

/* From the link to the router that was given it. The report that this handle
 * stands for, if the content is what we gave: it is on its way into the store
 * now. NULL if there is none, or again. `fd` is lent. */
const struct telling *reporter_take(
    const void *router, uint32_t handle, int fd, uint64_t size);
/* What became of it. Handles that are unknown are ignored. */
void reporter_stored(const void *router, uint32_t handle, unsigned int code);
void reporter_unrouted(
    const void *router, uint32_t handle, unsigned int code, const char *reply);
/* The link is gone, and what came over it was dropped. */
void reporter_router_lost(const void *router);

#endif
