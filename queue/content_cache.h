/*
 * The contents that came from the router and wait for their first delivery, so
 * that a fresh message reaches its agent without being read back. Bounded in
 * octets, in descriptors and in time: the one that was not used for longest
 * goes first, and is read back from the store if it is needed after all.
 */
#ifndef QUEUE_CONTENT_CACHE_H
#define QUEUE_CONTENT_CACHE_H

#include <stdint.h>

struct event_base;
struct row_message;
struct store;

int content_cache_start(struct event_base *)
    __attribute__((warn_unused_result));
/* Takes the descriptor, also if it does not keep it. */
void content_cache_keep(uint64_t id, uint64_t size, int fd_take);
/* A descriptor of the caller's own, from here or from the store in the open
 * transaction. -1 with errno as store_content_load(). All descriptors of one
 * content share an offset: read it by mapping or with pread(2). */
int content_cache_open(struct store *, uint64_t id, const struct row_message *)
    __attribute__((warn_unused_result));
void content_cache_drop(uint64_t id);
void content_cache_clear(void);

#endif
