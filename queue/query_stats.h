/*
 * Where query_stats() finds what it shows.
 */
#ifndef QUEUE_QUERY_STATS_H
#define QUEUE_QUERY_STATS_H

#include <stdbool.h>

struct lifecycle;

void query_stats_start(const struct lifecycle *);
/* What the supervisor says of the SMTP sockets. */
void query_stats_listening(bool on);

#endif
