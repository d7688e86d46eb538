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

struct clients_handler {
	/* There is room again, after there was none. */
	void (*room)(void);
	/* A drain has ended the last client. */
	void (*empty)(void);
};

/* Lends the configuration and the handler. -1 with errno. */
int clients_start(struct event_base *, const struct config *,
    const struct clients_handler *) __attribute__((warn_unused_result));
/* Takes the socket: serves it, or says 421. There must be room. */
void clients_accept(int fd_take, const struct sockaddr *, uint32_t listener);
/* Is there a slot? */
bool clients_have_room(void);

/* Ask all to end soon; make all end now. */
void clients_drain(void);
void clients_end(void);
unsigned int clients_count(void);

#endif
