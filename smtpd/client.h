/*
 * One client connection: a socket on the event loop and the session that its
 * octets drive. It carries out the session's effects, keeps its time limits,
 * and frees itself when the session or the connection has ended.
 */
#ifndef SMTPD_CLIENT_H
#define SMTPD_CLIENT_H

#include <sys/socket.h>

#include <stdint.h>

#include "common/message.h"
#include "common/monotime.h"
#include "smtpd/session.h"

struct client;
struct event_base;

/* Takes the socket and greets. `slot` is unique among the living clients. -1
 * with errno if there is no room for it. */
int client_start(struct event_base *, int fd_take, const struct sockaddr *,
    unsigned int slot, uint32_t listener, const struct session_rules *)
    __attribute__((warn_unused_result));

/* The router's answers: -1 if it may not say that now. */
int client_verdict(struct client *, const struct message_verdict *);
int client_outcome(struct client *, const struct message_outcome *);
void client_router_lost(struct client *);

/* The end of the look-up: the name of its address, or NULL. */
void client_take_name(struct client *, const char *);

/* Ends what has had its time. Any of these may free the client. */
void client_check_time(struct client *, struct monotime now);
void client_drain(struct client *);
void client_end(struct client *);

#endif
