/*
 * The part of query.h that tells of destinations.
 */
#ifndef QUEUE_QUERY_DESTINATIONS_H
#define QUEUE_QUERY_DESTINATIONS_H

struct lifecycle;

void query_destinations_start(const struct lifecycle *);

#endif
