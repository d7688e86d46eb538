/*
 * The child's side of the start contract (doc/design.md).
 *
 * The supervisor execs a program with their channel at descriptor 3 and sends
 * LOG, CONFIG, PEERs, LISTENERs and START. child_begin() reads those, as the
 * user that it was started as (root), and touches nothing else. The program
 * then opens what it needs, enters its sandbox, and calls child_run(), which
 * answers READY, hands the peers over and keeps the channel on the event loop.
 *
 * SIGPIPE is ignored. When the supervisor goes away the program exits at
 * once: everything in flight is made for that.
 */
#ifndef COMMON_CHILD_H
#define COMMON_CHILD_H

#include <stdint.h>

#include "common/config.h"
#include "common/limits.h"
#include "common/program.h"

struct event_base;

struct child_peer {
	enum program program;
	uint32_t instance;
	uint32_t generation;
	int fd;
};

struct child {
	enum program program;
	uint32_t instance;   /* unique in this supervisor's life */
	uint32_t generation; /* grows with each reload */
	struct config *config;
	int listeners[LIMIT_LISTENERS]; /* by number; -1 where none */
	struct child_peer peers[LIMIT_PEERS];
	unsigned int peer_count;
};

struct child_handler {
	/* A link to a neighbour. Takes the descriptor. */
	void (*peer)(const struct child_peer *);
	/* Finish within so many seconds and exit. Take nothing new. */
	void (*drain)(uint32_t seconds);
	/* Takes a new configuration while running; NULL if the program is
	 * restarted on reload instead. */
	void (*reconfigure)(struct config *take);
	/* The answer to child_ask_login(); NULL if the program never asks. */
	void (*login)(uint32_t uid, const char *login);
};

/* Exits with a message if descriptor 3 is not a supervisor. */
void child_begin(struct child *, enum program);
void child_run(
    struct child *, struct event_base *, const struct child_handler *);

/* The link to this neighbour ended, or could not be taken; if it lives, a new
 * one comes by `peer` after a while. For the inner end of a link only: the one
 * further from strangers (message.def). */
void child_peer_lost(enum program, uint32_t instance);
/* It lives, but does not do its work: asks for a new one in its place. */
void child_peer_hangs(enum program, uint32_t instance);

/* Whose uid is that? Answered by `login`. -1 with errno. */
int child_ask_login(uint32_t uid) __attribute__((warn_unused_result));

#endif
