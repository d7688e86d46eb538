/*
 * The link to deliver/spawn, which starts a worker under a login name and
 * hands us its channel. Answers count only for a request of this link that is
 * still open; anything else is logged and dropped.
 */
#ifndef QUEUE_LINK_SPAWN_H
#define QUEUE_LINK_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "common/mail.h"

struct child_peer;
struct event_base;

struct spawn_handler {
	/* The worker that was asked for with this number. Takes the fd. */
	void (*hired)(uint32_t number, int fd, uint32_t pid);
	void (*refused)(
	    uint32_t number, enum report_outcome, const char *reply);
	/* A link is there; ask again for whoever is still wanted. */
	void (*ready)(void);
	/* The link ended: no open request will be answered. */
	void (*lost)(void);
};

void spawn_start(struct event_base *, const struct spawn_handler *);
/* Takes the descriptor. A newer link replaces an older one. */
void spawn_add(const struct child_peer *);
/* `number` comes back in the answer. -1 if there is no link. */
int spawn_hire(uint32_t number, const char *user)
    __attribute__((warn_unused_result));
/* Kills the worker that was hired with this number on the present link. */
void spawn_kill(uint32_t number, uint32_t pid);

#endif
