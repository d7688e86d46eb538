/*
 * Where the house logs: standard error in the foreground, otherwise a socket
 * to syslog that every program shares. The supervisor makes it, since the
 * others see no file system, and makes it anew when syslog was restarted.
 */
#ifndef SUPERVISOR_LOG_SOCKET_H
#define SUPERVISOR_LOG_SOCKET_H

#include "supervisor/house.h"

/* -1 if the event loop refuses. A syslog that is not there is waited for. */
int log_socket_start(struct house *, bool verbose)
    __attribute__((warn_unused_result));
/* Sends LOG. */
void log_socket_tell(struct process *);
/* Somebody could not log: connect again, and tell everybody. */
void log_socket_lost(void);

#endif
