/*
 * The child's side of the fork: from spawn, which is root, to the worker of one
 * user. Never returns, and never returns to being root: what fails ends it.
 */
#ifndef DELIVER_SPAWN_BECOME_H
#define DELIVER_SPAWN_BECOME_H

struct worker;

void become_worker(const struct worker *) __attribute__((noreturn));

#endif
