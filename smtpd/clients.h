/*
 * All clients of this worker: their slots, how many there may be, of all and
 * of one address, and the clock that ends what takes too long.
 *
 * The limit for one address is counted in each worker by itself, since which
 * worker accepts a connection is chance: dividing it would refuse clients
 * below it. Loopback addresses have no such limit. The limit for all clients
 * is divided among the workers.
 */
#ifndef SMTPD_CLIENTS_H
#define SMTPD_CLIENTS_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"

struct event_base;

/* Lends the configuration. `empty` is called when a drain has ended the last
 * client. -1 with errno. */
int clients_start(struct event_base *, const struct config *,
    void (*empty)(void)) __attribute__((warn_unused_result));
/* Takes the socket: serves it, or says 421. */
void clients_accept(int fd_take, const struct sockaddr *, uint32_t listener);
/* Is there a slot? */
bool clients_have_room(void);

/* Ask all to end soon; make all end now. */
void clients_drain(void);
void clients_end(void);
unsigned int clients_count(void);

#endif
