/*
 * The workers that live: a fixed table, filled by fork and emptied by wait.
 * A worker belongs to the link and the handle that it was hired on.
 */
#ifndef DELIVER_SPAWN_WORKERS_H
#define DELIVER_SPAWN_WORKERS_H

#include <sys/types.h>

#include <stdint.h>

/* Processes of all users together. The queue keeps fewer at work, also when
 * half of them are stuck; this is for a queue that went mad. */
#define WORKERS_MOST 512

struct config;
struct event_base;
struct owner;

/* Lends both. `changed` is called when a worker has gone. -1 with errno. */
int workers_begin(struct event_base *, const struct config *,
    void (*changed)(void)) __attribute__((warn_unused_result));

/* Forks a worker; returns the queue's end of its channel and sets `pid`.
 * -1 with errno; EUSERS if the table is full, EBUSY if a worker of the same
 * login was killed and has not ended: what cannot be killed is not added to. */
int workers_start(const struct owner *, uint64_t link, uint32_t handle,
    pid_t *pid) __attribute__((warn_unused_result));

/* Kills that worker, if it is one, still lives, and was hired on this link
 * with this handle. -1 and ESRCH if not: nothing is killed then. */
int workers_kill(uint64_t link, uint32_t handle, uint32_t pid)
    __attribute__((warn_unused_result));
void workers_kill_all(void);

unsigned int workers_count(void);

#endif
