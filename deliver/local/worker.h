/*
 * deliver/local: the worker that spawn forked. It runs as one user, in a cage
 * that leaves nothing but that user's mailboxes, takes what the queue sends
 * over its channel, and ends at end of file there. It blocks: it has nothing
 * else to do.
 */
#ifndef DELIVER_LOCAL_WORKER_H
#define DELIVER_LOCAL_WORKER_H

#include "deliver/local/owner.h"

struct config;

struct worker {
	int fd; /* to the queue */
	const struct config *config;
	struct owner owner;
};

/* The caller has already become the owner. */
void worker_run(const struct worker *) __attribute__((noreturn));

#endif
