/*
 * Where query_stats() finds what it shows.
 */
#ifndef QUEUE_QUERY_STATS_H
#define QUEUE_QUERY_STATS_H

struct lifecycle;

void query_stats_start(const struct lifecycle *);

#endif
