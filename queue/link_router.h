/*
 * The links to the routers: a message comes as an ENVELOPE and its ROUTEs, and
 * is answered with STORED when it is durable. What is not whole when a link
 * ends is discarded: it was promised to nobody.
 */
#ifndef QUEUE_LINK_ROUTER_H
#define QUEUE_LINK_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

struct child_peer;
struct event_base;
struct message_inject;

/* Messages of one link that are not whole yet, and what they may hold. */
#define ROUTER_INCOMPLETE 256
#define ROUTER_INCOMPLETE_OCTETS (64UL * 1024 * 1024)

/* Takes the descriptor. */
void router_add(struct event_base *, const struct child_peer *);
/* Gives a message of ours to the newest router. Takes the descriptor. Returns
 * the link, by which reporter.h or redirector.h will know it again; NULL if
 * there is none. */
const void *router_inject(uint32_t handle, const struct message_inject *,
    int fd_take) __attribute__((warn_unused_result));
/* Is any link open? */
bool router_exists(void);

#endif
