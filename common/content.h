/*
 * A message's content: a memfd, written once by whoever makes it, then sealed
 * so that no program downstream can see it change or shrink.
 */
#ifndef COMMON_CONTENT_H
#define COMMON_CONTENT_H

#include <stddef.h>
#include <stdint.h>

/* A new, empty memfd. -1 with errno. */
int content_create(void) __attribute__((warn_unused_result));
/* Writes it all. -1 with errno. */
int content_write(int fd, const void *, size_t)
    __attribute__((warn_unused_result));
/* Adds all four seals. -1 with errno. */
int content_seal(int fd) __attribute__((warn_unused_result));
/* Is this what a neighbour may pass as content: sealed fully, exactly `size`
 * octets? Nothing else may be read or mapped. -1 and EPROTO if not. */
int content_check(int fd, uint64_t size) __attribute__((warn_unused_result));
/* Maps checked content for reading; an empty one maps to a static octet.
 * NULL with errno. */
const uint8_t *content_map(int fd, uint64_t size)
    __attribute__((warn_unused_result));
void content_unmap(const uint8_t *, uint64_t size);

#endif
