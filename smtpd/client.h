/*
 * One client connection: a socket on the event loop and the session that its
 * octets drive. It carries out the session's effects, keeps its time limits,
 * and frees itself when the session or the connection has ended.
 */
#ifndef SMTPD_CLIENT_H
#define SMTPD_CLIENT_H

#include <netinet/in.h>

#include <stdint.h>

#include "common/monotime.h"
#include "smtpd/client_service.h"

struct client;

/* Takes the socket; says nothing yet. `slot` is unique among the living
 * clients; the service is lent. NULL with errno if there is no room for it. */
struct client *client_new(const struct client_service *, int fd_take,
    const struct in6_addr *, unsigned int slot, uint32_t listener)
    __attribute__((warn_unused_result));

/* Greets, and goes on from there. Any of these may free the client: then its
 * service's `gone` is called. */
void client_start(struct client *);
/* Ends it if it has had its time. */
void client_check_time(struct client *, struct monotime now);
void client_drain(struct client *);
void client_end(struct client *);

#endif
