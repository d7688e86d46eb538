/*
 * The names of files in a Maildir (https://cr.yp.to/proto/maildir.html):
 * unique without any coordination between the processes and hosts that write
 * to the same one. Pure.
 *
 * A file is written as tmp/UNIQUE and moved to new/UNIQUE,S=SIZE,W=SIZE: the
 * size on disk and the size with CRLF line ends, which spares an IMAP server
 * (Dovecot, Courier) from reading the file to know them.
 */
#ifndef DELIVER_LOCAL_MAILDIR_NAME_H
#define DELIVER_LOCAL_MAILDIR_NAME_H

#include <stddef.h>
#include <stdint.h>

#define MAILDIR_NAME_SIZE 256 /* NAME_MAX and a NUL */

struct maildir_name {
	uint64_t seconds; /* since the epoch */
	uint32_t microseconds;
	uint32_t pid;
	uint32_t counter; /* of this process */
	uint64_t random;
	uint64_t id; /* the message's, to find the file from the log */
	const char *hostname;
};

void maildir_name_unique(
    const struct maildir_name *, char to[MAILDIR_NAME_SIZE]);
void maildir_name_final(const char *unique, uint64_t size, uint64_t lines,
    char to[MAILDIR_NAME_SIZE]);

#endif
