/*
 * What the supervisor knows: the processes, and the generations that they
 * belong to. Shared by the files of this folder only.
 *
 * A generation is one reading of the configuration together with the
 * processes that were started with it. A reload makes a new one; the old ones
 * drain. A lasting program (the queue) moves on to the newest.
 */
#ifndef SUPERVISOR_HOUSE_H
#define SUPERVISOR_HOUSE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include <bsd/sys/queue.h>

#include "common/monotime.h"
#include "supervisor/backoff.h"
#include "supervisor/listeners.h"
#include "supervisor/programs.h"
#include "supervisor/settings.h"

struct channel;
struct event;
struct event_base;
struct process_events;

enum process_state {
	PROCESS_WAITING,  /* not running; the timer starts it */
	PROCESS_STARTING, /* running, not ready; the timer kills it */
	PROCESS_READY,
	PROCESS_DRAINING, /* told to end; the timer kills it */
};

struct process {
	TAILQ_ENTRY(process) next;
	struct house *house;
	const struct program_spec *spec;
	struct generation *generation;
	unsigned int worker; /* from 0 */
	enum process_state state;
	/* of the current life */
	uint32_t instance;
	pid_t pid;		 /* 0: none */
	struct channel *channel; /* NULL once it is closed */
	bool was_ready;
	struct monotime started;
	struct backoff backoff;
	struct event *timer;
};

struct generation {
	TAILQ_ENTRY(generation) next;
	uint32_t number;
	struct settings *settings;
	struct listeners listeners;
	bool joined; /* linked to the lasting programs */
	bool draining;
};

TAILQ_HEAD(process_list, process);
TAILQ_HEAD(generation_list, generation);

struct house {
	struct event_base *base;
	const struct process_events *events; /* see process.h */
	const char *config_path;
	bool foreground;
	int control_fd; /* the queue's control socket, */
	int users_fd;	/* and the one for everybody */
	struct process_list processes;
	struct generation_list generations; /* oldest first */
	struct generation *current;	    /* where new processes belong */
	uint32_t instances;
	uint32_t generation_numbers;
	bool stopping;
};

#endif
