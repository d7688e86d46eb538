/*
 * A TCP connection to a mail host, and the session on it. It carries one
 * message at a time; after a message it waits a little for another to the
 * same destination.
 *
 * What it buffers of what is to be sent is bounded: see outgoing.h.
 */
#ifndef REMOTE_CONNECTION_H
#define REMOTE_CONNECTION_H

#include <stdbool.h>

#include "deliver/remote/endpoint.h"
#include "deliver/remote/session.h"

struct event_base;
struct connection;

/* What happens to the message of a connection. `host` is lent, as are the
 * texts. */
struct connection_user {
	void (*settled)(void *context, unsigned int recipient,
	    enum report_outcome, enum report_scope,
	    const struct endpoint_host *host, const char *reply);
	/* The transaction is over. Recipients that are not settled are for
	 * another one, with the same host, at once; if any were offered, some
	 * are settled. The connection is not the user's any more. */
	void (*done)(void *context);
	/* The connection is gone; recipients may not be settled. `stale`: it
	 * was an old one that died before this message had begun. */
	void (*ended)(void *context, const struct session_end *,
	    const struct endpoint_host *host, bool stale);
};

/* `room` is called from the event loop when a connection was closed or has
 * become idle. Exits if it fails. */
void connection_init(
    struct event_base *, const char *hostname, void (*room)(void));

/* An idle connection of this destination, or NULL. */
struct connection *connection_take_idle(const char *key);
/* May another one be opened? Closes an idle one for that if need be. */
bool connection_has_room(void);
/* Connects; `host` is the name of the endpoint. The result comes by way of
 * the message. NULL with errno. */
struct connection *connection_open(
    const char *key, enum route_kind, const struct endpoint *, const char *host)
    __attribute__((warn_unused_result));
/* Sends a message on a connection that was just taken or opened. All is lent
 * until `done` or `ended`, neither of which is called from within this. */
void connection_send(struct connection *, struct transaction *, int content,
    const struct connection_user *, void *context);
/* The user goes away: ends the connection at once. Accepts none. */
void connection_abandon(struct connection **);

#endif
