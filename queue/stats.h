/*
 * What has been done since the start, counted.
 */
#ifndef QUEUE_STATS_H
#define QUEUE_STATS_H

#include <stdint.h>

struct stats {
	uint64_t messages_accepted;
	uint64_t recipients_accepted;
	uint64_t bytes_accepted;
	uint64_t messages_refused; /* for want of room, or the store failed */
	uint64_t delivered;
	uint64_t deferred;
	uint64_t failed;
	uint64_t acts;
	uint64_t set_aside;
	uint64_t agents_lost;
	uint64_t reports_dropped;
	uint64_t commits;
	uint64_t commit_operations;
	uint64_t commit_microseconds;
	uint64_t commit_longest_microseconds;
	uint64_t commits_failed;
	uint64_t history_forgotten;
};

extern struct stats stats;

#endif
