/*
 * Redirections on their way: asked of a router, since only a router knows the
 * way to an address. It sends the message back as it does all mail, and the
 * commit that accepts it takes the old recipients away (redirection.h). In
 * memory only: what a crash forgets has changed nothing, or is done.
 */
#ifndef QUEUE_REDIRECTOR_H
#define QUEUE_REDIRECTOR_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct lifecycle;
struct redirection;

/* At routers at once, from all who ask, and what their memfds hold beyond the
 * first. */
#define REDIRECTOR_OUT 32
#define REDIRECTOR_OCTETS (64UL * 1024 * 1024)

struct redirector_answer {
	uint64_t id;
	uint64_t made;	   /* the new message; 0: nothing has changed, */
	unsigned int code; /* and the reply says why */
	const char *reply;
	unsigned int count; /* of the recipients that were meant */
};

int redirector_start(struct event_base *, struct lifecycle *)
    __attribute__((warn_unused_result));

/* Redirects these recipients of a message, or none of them. `done` is called
 * later, once. -1 with errno, and no call: EBUSY they are in flight or reported
 * on, EAGAIN too many are out or the queue drains, ENOTCONN there is no router,
 * ENOENT they are gone, EIO the content is damaged, ENOMEM. */
int redirector_ask(uint64_t id, const uint32_t *numbers, unsigned int count,
    const char *to, uid_t uid,
    void (*done)(const struct redirector_answer *, void *context),
    void *context) __attribute__((warn_unused_result));
/* Nobody waits for these any more; they still happen. */
void redirector_forget(const void *context);

/* From the link to the router that was asked: as in reporter.h. */
const struct redirection *redirector_take(
    const void *router, uint32_t handle, int fd, uint64_t size);
void redirector_stored(const void *router, uint32_t handle, uint64_t made,
    unsigned int code, const char *reply);
void redirector_unrouted(
    const void *router, uint32_t handle, unsigned int code, const char *reply);
void redirector_router_lost(const void *router);

#endif
