/*
 * Runs a command of posternctl inside a test and keeps what it prints, and
 * runs a server on a control socket beside it.
 */
#ifndef TESTS_UNIT_CTL_RUN_H
#define TESTS_UNIT_CTL_RUN_H

#include <sys/types.h>
#include <sys/un.h>

#include "ctl/ctl.h"

#define NOW 1769903999 /* 2026-01-31T23:59:59Z */

extern char run_directory[]; /* of the sockets */
extern char *run_out;	     /* of the last command */
extern char run_err[65536];  /* likewise */
extern struct ctl run_ctl;

void run_socket_path(struct sockaddr_un *, const char *name);
/* A socket that listens there. */
int run_listen(const char *name);
/* In a process of its own, until it is killed. */
pid_t run_server(void (*serve)(int listener), const char *name);
void run_stop(pid_t);

int run_prepare(void **state);
void run_clean_up(void);

/* `line` is split at blanks. Returns the exit code. */
int run(int (*function)(struct ctl *, const struct command *, int, char **),
    unsigned int verb, const char *line);
/* How many lines it printed. */
size_t run_lines(void);

#endif
