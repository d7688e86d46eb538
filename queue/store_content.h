/*
 * Content in the store: written from a sealed memfd in chunks, read back into
 * a new one. Within the transaction that is open.
 */
#ifndef QUEUE_STORE_CONTENT_H
#define QUEUE_STORE_CONTENT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct row_message;
struct store;

/* Also says what its checksum is. EPROTO if the descriptor does not give so
 * many octets; what was written by then is to be deleted or aborted. */
int store_content_put(struct store *, uint64_t id, int fd, uint64_t size,
    uint64_t *digest) __attribute__((warn_unused_result));
int store_content_delete(struct store *, uint64_t id)
    __attribute__((warn_unused_result));
/* The first octets of it, at most `most`; returns how many. EBADMSG if the
 * store holds fewer. The checksum is not looked at: store_content_check(). */
ssize_t store_content_head(struct store *, uint64_t id, uint64_t size,
    char *octets, size_t most) __attribute__((warn_unused_result));
/* A sealed memfd of exactly what the message's row says. EBADMSG if the store
 * holds fewer octets, or more, or others: damaged mail is never served. */
int store_content_load(struct store *, uint64_t id, const struct row_message *)
    __attribute__((warn_unused_result));
/* Is the content there as the message's row says? What its checksum is now;
 * or -1, with EBADMSG if it is not, and then `what` says how it differs. */
int store_content_check(struct store *, uint64_t id, const struct row_message *,
    uint64_t *digest, const char **what) __attribute__((warn_unused_result));

#endif
