/*
 * How long a client, or the router, may take (RFC 5321 4.5.3.2). Pure: it is
 * told what has happened and when.
 *
 * A part of a command line is no progress, content must keep a least pace, and
 * now and then a message must have been accepted: nobody holds a session, or
 * the memory of a message, with an octet or a command now and then.
 */
#ifndef SMTPD_PATIENCE_H
#define SMTPD_PATIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/monotime.h"
#include "smtpd/session_state.h"

/* RFC 5321 4.5.3.2.7: at least five minutes. */
#define PATIENCE_COMMAND 300
/* Between two pieces of content; RFC 5321 4.5.3.2.5. */
#define PATIENCE_DATA 180
/* In any time so long, octets a second of content. What came faster before
 * does not count later, and what is refused already does not count. */
#define PATIENCE_DATA_TOTAL 600
#define PATIENCE_DATA_RATE 500
/* From one accepted message to the next, the time that content takes at that
 * rate apart. No client that has mail for us comes near it. */
#define PATIENCE_MESSAGE 3600
/* Clients wait five minutes for RCPT, ten for the end of DATA. */
#define PATIENCE_ROUTER 240
/* For the last reply to be read. */
#define PATIENCE_GOODBYE 5

struct patience {
	struct session_progress progress;
	struct monotime deadline, data_end, message_end;
};

void patience_start(struct patience *, struct monotime now);
/* The session took `consumed` octets, or an answer, and is now so far. */
void patience_note(struct patience *, struct monotime now,
    const struct session_progress *, size_t consumed);
bool patience_is_over(const struct patience *, struct monotime now);

#endif
