/*
 * The content of one message while it comes in: first in memory, beyond
 * INTAKE_BUFFER octets in the memfd, so that a small message costs one memfd
 * and one write.
 *
 * What all messages of this process hold together is bounded by
 * LIMIT_CONTENT_IN_HAND, since memfds are memory too.
 */
#ifndef SMTPD_INTAKE_H
#define SMTPD_INTAKE_H

#include <stddef.h>
#include <stdint.h>

#define INTAKE_BUFFER 65536

struct intake;

/* NULL with errno. */
struct intake *intake_new(void) __attribute__((warn_unused_result));
void intake_free(struct intake **);
/* -1 with errno if there is no room; then nothing more may be added. */
int intake_add(struct intake *, const void *, size_t)
    __attribute__((warn_unused_result));
/* The sealed content, which is the caller's, and its size. -1 with errno. */
int intake_finish(struct intake *, uint64_t *size)
    __attribute__((warn_unused_result));

#endif
