/*
 * How long a client, or the router, may take (RFC 5321 4.5.3.2). Pure: it is
 * told what has happened and when.
 *
 * A part of a command line is no progress, and content must keep a least pace
 * as a whole: nobody holds a session with an octet now and then.
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
/* All of the content: this long, and longer by what has come at this rate. */
#define PATIENCE_DATA_TOTAL 600
#define PATIENCE_DATA_RATE 500
/* Clients wait five minutes for RCPT, ten for the end of DATA. */
#define PATIENCE_ROUTER 240
/* For the last reply to be read. */
#define PATIENCE_GOODBYE 5

struct patience {
	enum session_turn turn;
	unsigned int commands;
	uint64_t received; /* of this content */
	struct monotime deadline, data_end;
};

void patience_start(struct patience *, struct monotime now);
/* The session took `consumed` octets, or an answer; it is now at this turn
 * and has seen so many commands. */
void patience_note(struct patience *, struct monotime now, enum session_turn,
    unsigned int commands, size_t consumed);
bool patience_is_over(const struct patience *, struct monotime now);

#endif
