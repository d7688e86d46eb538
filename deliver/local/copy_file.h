/*
 * One copy of a message as a file: what the final delivery adds, then the
 * content through the header filter, in pieces of bounded size.
 */
#ifndef DELIVER_LOCAL_COPY_FILE_H
#define DELIVER_LOCAL_COPY_FILE_H

#include <stdint.h>

struct copy;

struct copy_size {
	uint64_t octets;
	uint64_t lines;
};

/* Lends the file. -1 with errno; ELOOP if the message was delivered to this
 * address before. */
int copy_file_write(int fd, const struct copy *, struct copy_size *)
    __attribute__((warn_unused_result));

#endif
