/*
 * The trust boundary to the smtpd workers, which strangers talk to.
 *
 * A worker could, if taken over, send mail as any client of any name; it
 * cannot reach another worker's transactions, nor have more than
 * LIMIT_SESSIONS of its own, nor send anything that is not an address where
 * one belongs or content that is not sealed: that closes its link, and only
 * its. Handles are the worker's; each link has its own table of them.
 */
#ifndef ROUTER_LINK_SMTPD_H
#define ROUTER_LINK_SMTPD_H

#include "common/child.h"
#include "router/expand.h"
#include "router/link_queue.h"

struct event_base;
struct link_smtpd;

/* All links to smtpd. The others must outlive it. NULL with errno. */
struct link_smtpd *link_smtpd_new(struct event_base *, const struct expander *,
    struct link_queue *) __attribute__((warn_unused_result));
/* Accepts none. */
void link_smtpd_free(struct link_smtpd **);

/* Takes the descriptor. */
void link_smtpd_add(struct link_smtpd *, const struct child_peer *);
unsigned int link_smtpd_count(const struct link_smtpd *);

/* For link_queue_new(). */
parcel_outcome link_smtpd_outcome;

#endif
