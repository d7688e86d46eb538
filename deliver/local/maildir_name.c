#include "deliver/local/maildir_name.h"

#include <inttypes.h>
#include <stdio.h>

#include <bsd/string.h>

#include "common/id.h"

/* Leaves room for the longest of everything else. */
#define HOSTNAME_MOST 96

/* A slash or a colon in a host name is written as the Maildir page says. */
static void
copy_hostname(const char *hostname, char *to)
{
	size_t length = 0;

	for (; *hostname != '\0' && length + 4 <= HOSTNAME_MOST; hostname++) {
		if (*hostname == '/' || *hostname == ':')
			length += (size_t)sprintf(
			    to + length, "\\%03o", (unsigned int)*hostname);
		else if (*hostname > ' ' && *hostname < 127)
			to[length++] = *hostname;
	}
	to[length] = '\0';
}

void
maildir_name_unique(const struct maildir_name *n, char to[MAILDIR_NAME_SIZE])
{
	char hostname[HOSTNAME_MOST + 1];

	copy_hostname(n->hostname, hostname);
	snprintf(to, MAILDIR_NAME_SIZE,
	    "%" PRIu64 ".M%06" PRIu32 "P%" PRIu32 "Q%" PRIu32 "R%016" PRIx64
	    "_%s.%s",
	    n->seconds, n->microseconds, n->pid, n->counter, n->random,
	    id_format(n->id).text, hostname);
}

void
maildir_name_final(const char *unique, uint64_t size, uint64_t lines,
    char to[MAILDIR_NAME_SIZE])
{
	snprintf(to, MAILDIR_NAME_SIZE, "%.*s,S=%" PRIu64 ",W=%" PRIu64,
	    MAILDIR_NAME_SIZE - 1 - 46, unique, size, size + lines);
}
