/*
 * A listening socket on the event loop. Several processes may listen on it.
 *
 * Few connections are taken a turn, so that others have theirs. For want of
 * descriptors or memory the socket stays readable: nothing is accepted then
 * for a moment, instead of trying in a busy loop; what connects waits in the
 * backlog.
 */
#ifndef COMMON_ACCEPTOR_H
#define COMMON_ACCEPTOR_H

struct acceptor;
struct event_base;
struct sockaddr;

/* The address is that of the peer. It may pause the acceptor, not free it. */
typedef void acceptor_taken(
    int fd_take, const struct sockaddr *from, void *context);

/* Makes the socket non-blocking and lends it. It accepts at once. NULL with
 * errno. */
struct acceptor *acceptor_new(struct event_base *base, int fd,
    acceptor_taken *taken, void *context) __attribute__((warn_unused_result));

/* The socket stays open; accepts none. */
void acceptor_free(struct acceptor **);

/* Accepts nothing until it is resumed. */
void acceptor_pause(struct acceptor *);
/* Also of one that is not paused. */
void acceptor_resume(struct acceptor *);

#endif
