/*
 * What the queue itself gave to a router, to find the way for it: reports and
 * redirections. A router sends such a message back as it does all mail; it is
 * believed to be ours only if it comes from the router that was asked, once,
 * and with the very content that was given.
 *
 * In memory only, and embedded in what says what the errand is for.
 */
#ifndef QUEUE_ERRAND_H
#define QUEUE_ERRAND_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stdint.h>

#include <bsd/sys/queue.h>

struct message_inject;

/* Seconds that a router may take to say anything about one. */
#define ERRAND_ANSWER 300

struct errand {
	TAILQ_ENTRY(errand) next;
	const void *router;
	uint32_t handle;
	struct stat content; /* which file it was */
	bool taken;	     /* it came back, and goes into the store */
	uint64_t since;	     /* in seconds */
};

struct errands {
	TAILQ_HEAD(, errand) list;
	unsigned int count;
	uint32_t kind; /* 0 or INJECT_REDIRECTED */
	uint32_t last;
};

void errands_begin(struct errands *, uint32_t kind);

/* Gives the newest router the message, and adds the errand, which the caller
 * owns. Takes `fd_take`, the content, in every case. -1 with errno: ENOTCONN
 * there is no router that takes it. */
int errand_send(struct errands *, struct errand *,
    const struct message_inject *, int fd_take)
    __attribute__((warn_unused_result));
/* It is over: out of the list. */
void errand_end(struct errands *, struct errand *);

/* NULL: it was given up, or there never was one. */
struct errand *errand_find(
    const struct errands *, const void *router, uint32_t handle);
/* Likewise if it is not what we gave, or comes again. `fd` is lent. */
struct errand *errand_take(const struct errands *, const void *router,
    uint32_t handle, int fd, uint64_t size);
/* Likewise if it came back: then its answer is that to the message. Says in
 * the log what came too late. */
struct errand *errand_unrouted(
    const struct errands *, const void *router, uint32_t handle);

/* One that its router has said nothing about for too long; one that this
 * router has. NULL: none (more). */
struct errand *errand_silent(const struct errands *, uint64_t now);
struct errand *errand_at(const struct errands *, const void *router);

#endif
