/*
 * Going to the background. The command that was typed stays until the house
 * is ready, so that its exit code tells whether postern runs.
 */
#ifndef SUPERVISOR_DAEMON_H
#define SUPERVISOR_DAEMON_H

/* Returns in the background; the foreground waits and exits. -1 with errno. */
int daemon_begin(void) __attribute__((warn_unused_result));
/* Lets the foreground go, with 0 or an exit code, and lets go of its
 * terminal. Nothing happens the second time, or without daemon_begin(). */
void daemon_release(int code);

#endif
