/*
 * Content in the store: written from a sealed memfd in chunks, read back into
 * a new one. Within the transaction that is open.
 */
#ifndef QUEUE_STORE_CONTENT_H
#define QUEUE_STORE_CONTENT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct store;

/* EPROTO if the descriptor does not give so many octets; what was written by
 * then is to be deleted or aborted. */
int store_content_put(struct store *, uint64_t id, int fd, uint64_t size)
    __attribute__((warn_unused_result));
int store_content_delete(struct store *, uint64_t id)
    __attribute__((warn_unused_result));
/* The first octets of it, at most `most`; returns how many. -1 with errno, as
 * below. */
ssize_t store_content_head(struct store *, uint64_t id, uint64_t size,
    char *octets, size_t most) __attribute__((warn_unused_result));
/* A sealed memfd of exactly `size` octets. EBADMSG if the store holds fewer
 * or more: truncated mail is never served. */
int store_content_load(struct store *, uint64_t id, uint64_t size)
    __attribute__((warn_unused_result));

#endif
