/*
 * fork and exec of a program with its channel as descriptor 3, and nothing
 * else of ours: no other descriptors (standard error on request), no
 * environment to speak of, a session of its own so that a terminal's Ctrl-C is
 * for the supervisor alone.
 * SIGPIPE stays ignored.
 */
#ifndef SUPERVISOR_EXEC_H
#define SUPERVISOR_EXEC_H

#include <sys/types.h>

#include <stdbool.h>

/* The process, or -1 with errno. Lends the descriptor. */
pid_t exec_program(const char *path, int channel, bool keep_stderr)
    __attribute__((warn_unused_result));

#endif
