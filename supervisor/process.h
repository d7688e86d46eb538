/*
 * One child: exec, its channel, its end. What happens to it is told upwards,
 * to the functions of its house; this file knows nobody who lives above it.
 */
#ifndef SUPERVISOR_PROCESS_H
#define SUPERVISOR_PROCESS_H

#include <stdint.h>

#include "common/message.h"
#include "supervisor/house.h"

/* None of them frees the process itself. */
struct process_events {
	/* It runs, and knows nothing yet. */
	void (*started)(struct process *);
	/* It has done what START asked for. Once a life. */
	void (*ready)(struct process *);
	/* It could not log. */
	void (*log_lost)(struct process *);
	/* It says so of a neighbour. -1 if it may not. */
	int (*peer_lost)(struct process *, const struct message_peer_lost *);
	/* It asks for a login. -1 if it asks too much. */
	int (*who)(struct process *, const struct message_who *);
};

/* Adds a process to the house, not yet running. NULL with errno. */
struct process *process_new(struct generation *, struct house *,
    const struct program_spec *, unsigned int worker)
    __attribute__((warn_unused_result));
/* Removes it; it must not be running. */
void process_free(struct process **);

/* Runs it. If that fails it is tried again after its back-off. */
void process_start(struct process *);
/* Its process is gone: forgets what belonged to that life. */
void process_ended(struct process *, int status);
/* Starts it again, after its back-off. */
void process_restart(struct process *);

/* Sends a message, with a copy of the descriptor unless that is -1. A failure
 * ends the channel, and with it the process. */
void process_tell(struct process *, struct message *, int fd_lent);
/* Sends DRAIN, once. */
void process_drain(struct process *, uint32_t seconds);
/* SIGKILL after so many milliseconds, instead of any earlier plan. */
void process_kill_in(struct process *, int64_t milliseconds);
void process_kill(struct process *, const char *why);

#endif
