/*
 * The link to the administrator: posternctl's side of the queue.
 *
 * Whoever could open the control socket may ask and act, if the table in
 * control_work.c lets them; who acted is in the log. At most CONTROL_CLIENTS
 * are served at once and the others wait in the socket's backlog.
 */
#ifndef QUEUE_LINK_CONTROL_H
#define QUEUE_LINK_CONTROL_H

#define CONTROL_CLIENTS 16

struct event_base;

/* Takes the listening socket; before the loop starts only. */
void control_start(struct event_base *, int listener_fd);

#endif
