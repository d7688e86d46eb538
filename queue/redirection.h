/*
 * Recipients of one message whose place a message to another address takes.
 *
 * The new message has the content and the envelope of the old one, whatever the
 * router says of those; only its recipients are the router's. The transaction
 * that accepts it deletes the old recipients: so a crash at any moment neither
 * loses nor doubles them.
 */
#ifndef QUEUE_REDIRECTION_H
#define QUEUE_REDIRECTION_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"
#include "queue/store_row.h"

struct submission;

#define REDIRECTION_BUSY \
	"4.3.2 It is being delivered or reported on, or has changed"

struct redirection {
	uint64_t id;
	char to[LIMIT_PATH + 1];
	uid_t uid; /* who asked for it */
	/* Is one of them in flight, or a report about the message? */
	bool (*is_busy)(const struct redirection *);
	/* What the new message inherits; texts are in `octets`. */
	struct row_message message;
	uint8_t octets[ROW_VALUE_SIZE];
	/* And its recipients: from the first of the old ones, but that they
	 * want to be told of what any of those wanted. */
	char original[LIMIT_PATH + 1];
	char orcpt[LIMIT_ORCPT + 1];
	uint8_t notify;
	unsigned int count;
	uint32_t numbers[]; /* ascending */
};

/* Makes a submission what the redirection says. -1 and ENOMEM. */
int redirection_adopt(const struct redirection *, struct submission *)
    __attribute__((warn_unused_result));

#endif
