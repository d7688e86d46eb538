/*
 * The link to the administrator: posternctl's side of the queue.
 *
 * Whoever could open the control socket may ask and act (its mode says who
 * that is); who acted is in the log. A client asks one question at a time and
 * is served in small steps between the queue's other work, so that a listing
 * of everything delays nobody. Clients that do not read, or do not ask, are
 * let go; at most CONTROL_CLIENTS are served at once and the others wait in
 * the socket's backlog.
 */
#ifndef QUEUE_LINK_CONTROL_H
#define QUEUE_LINK_CONTROL_H

struct event_base;

/* Takes the listening socket; before the loop starts only. */
void control_start(struct event_base *, int listener_fd);

#endif
