/*
 * A listening UNIX socket on the event loop.
 *
 * One connection is taken a turn, so that others have theirs. For want of
 * descriptors or memory the socket stays readable: nothing is accepted then
 * for a moment, instead of trying in a busy loop; what connects waits in the
 * backlog.
 */
#ifndef COMMON_ACCEPTOR_H
#define COMMON_ACCEPTOR_H

struct acceptor;
struct event_base;

typedef void acceptor_taken(int fd_take, void *context);

/* Makes the socket non-blocking and lends it. It accepts at once. There is no
 * end to it: whoever listens does so for life. NULL with errno. */
struct acceptor *acceptor_new(struct event_base *base, int fd,
    acceptor_taken *taken, void *context) __attribute__((warn_unused_result));

/* Accepts nothing until it is resumed. */
void acceptor_pause(struct acceptor *);
/* Also of one that is not paused. */
void acceptor_resume(struct acceptor *);

#endif
