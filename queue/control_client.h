/*
 * The clients of the control sockets, of either door: what each is asked and
 * told, in small steps between the queue's other work, and when it is let go.
 *
 * A door is a listening socket with its own bounds (link_control.c,
 * link_user.c), so that those who come by one never take the places of the
 * other. A client asks one question at a time. Those that do not read, or do
 * not ask, are let go; sooner if the door is crowded.
 */
#ifndef QUEUE_CONTROL_CLIENT_H
#define QUEUE_CONTROL_CLIENT_H

#include <sys/types.h>

#include <stdint.h>

struct control_peer;
struct event_base;

struct control_door {
	const char *name;
	unsigned int most; /* clients at a time */
	int64_t idle_ms;   /* how long one may be without a question */
	/* Before each step of an answer: at least so long, and so many times
	 * what the step before took, for each of the clients. 9: all of them
	 * together have a tenth of our time, whatever a step costs. */
	useconds_t rest_us;
	unsigned int rest_times;
	void (*left)(void); /* a client did, and there is room */
	unsigned int count; /* of clients; ours */
};

/* Before the loop starts only. */
void control_clients_start(struct event_base *);
/* -1 with errno. The door is lent for good. */
int control_client_add(struct control_door *, int fd_take,
    const struct control_peer *) __attribute__((warn_unused_result));
/* How many of them are this user's. */
unsigned int control_clients_of(const struct control_door *, uid_t);

#endif
