/*
 * sd_notify(3): tells a service manager how we are, if there is one. Never
 * fails visibly; nothing depends on it.
 */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
