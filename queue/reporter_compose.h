/*
 * One report, from what the store says of a message. Part of reporter.c.
 */
#ifndef QUEUE_REPORTER_COMPOSE_H
#define QUEUE_REPORTER_COMPOSE_H

struct config;
struct dsn_made;
struct lifecycle;
struct telling;

/* `telling` has its time and id, and says whether it is to be a notice; the
 * rest is filled in. A sealed memfd; -1 with errno, ENOENT: there is nothing
 * to tell; ENOMSG: nothing that a notice is made for, or one that has come back
 * failed. Not inside a transaction. */
int reporter_compose(struct lifecycle *, const struct config *,
    struct telling *, struct dsn_made *) __attribute__((warn_unused_result));

#endif
