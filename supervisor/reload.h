/*
 * A new configuration while mail flows. It is checked whole, its sockets are
 * opened and its generation is started beside the old one. When all of it but
 * smtpd is ready it joins: the queue gets the configuration and the new links,
 * and the new smtpd starts. When that is ready, too, the old generation drains.
 * Whatever goes wrong before it joins, nothing has changed.
 */
#ifndef SUPERVISOR_RELOAD_H
#define SUPERVISOR_RELOAD_H

#include "supervisor/house.h"

/* `code`: sysexits(3). */
typedef void reload_ended(int code, const char *text);

/* Who is told of the outcome of each reload, besides the log. */
void reload_on_end(reload_ended *);
/* While one is pending another is only noted, and follows. */
void reload_begin(struct house *);
bool reload_is_pending(void);
/* A process has become ready: is the new generation? */
void reload_check(struct house *);
/* The house shuts down. */
void reload_forget(void);

#endif
