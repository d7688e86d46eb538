/*
 * The content of one message while it comes in: first in memory, beyond
 * INTAKE_BUFFER octets in the memfd, so that a small message costs one memfd
 * and one write.
 *
 * What all messages of this process hold together is bounded by
 * LIMIT_CONTENT_IN_HAND, since memfds are memory too. A message counts until
 * its intake is freed: also when it is finished and on its way, since others
 * hold the same memory until it is on the disk.
 */
#ifndef SMTPD_INTAKE_H
#define SMTPD_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTAKE_BUFFER 65536

struct intake;

/* NULL with errno. */
struct intake *intake_new(void) __attribute__((warn_unused_result));
void intake_free(struct intake **);
/* May so many octets more be held? Nothing is set aside for them. */
bool intake_has_room(uint64_t octets);
/* -1 with errno if there is no room: then the intake holds nothing, and may
 * only be freed. */
int intake_add(struct intake *, const void *, size_t)
    __attribute__((warn_unused_result));
/* The sealed content, which is the caller's, and its size. -1 with errno. Then
 * the intake may only be freed. */
int intake_finish(struct intake *, uint64_t *size)
    __attribute__((warn_unused_result));

#endif
