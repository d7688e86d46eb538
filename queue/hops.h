/*
 * How often a message has been passed on already (RFC 5321 6.3).
 */
#ifndef QUEUE_HOPS_H
#define QUEUE_HOPS_H

#include <stdint.h>

/* The Received fields in the header of this content; leaves the offset alone.
 * -1 with errno. */
int hops_count(int fd, uint32_t *hops) __attribute__((warn_unused_result));

#endif
