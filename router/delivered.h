/*
 * Has a message been in these mailboxes before? The worker that delivers it
 * would see its own Delivered-To and fail it for good, and whoever is named as
 * its sender would get a report; anybody can write such a field. Seen here, it
 * is refused to the client instead.
 *
 * Only the beginning of the content is read, and so many fields: what is beyond
 * is for the worker to see.
 */
#ifndef ROUTER_DELIVERED_H
#define ROUTER_DELIVERED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"

struct routes;

#define DELIVERED_OCTETS 65536 /* of the header */
#define DELIVERED_FIELDS 64

/* Do all routes lead to mailboxes that the content, a file of this size, says
 * it was delivered to? What an alias expands to counts, the alias does not. */
bool delivered_to_all(int fd, uint64_t size, const struct routes *);

#endif
