/*
 * The numbers that travel between programs and lie in the store. They are
 * part of both formats: add at the end, never renumber.
 */
#ifndef COMMON_MAIL_H
#define COMMON_MAIL_H

#include <stdbool.h>

/* RFC 3848: the keyword after "with" in a Received field. */
enum smtp_protocol {
	SMTP_PROTOCOL_SMTP,
	SMTP_PROTOCOL_ESMTP,
	SMTP_PROTOCOL_ESMTPS,
	SMTP_PROTOCOL_ESMTPA,
	SMTP_PROTOCOL_ESMTPSA,
	SMTP_PROTOCOL_LOCAL,
	SMTP_PROTOCOLS
};

/* RFC 6152: the BODY parameter of MAIL. */
enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODIES };

/* RFC 3461 4.3: what a report of failure returns. */
enum dsn_ret { DSN_RET_NONE, DSN_RET_FULL, DSN_RET_HDRS, DSN_RETS };

/* RFC 3461 4.1: when the sender wants a report, a set. Nothing given means
 * failure and delay; NEVER stands alone. */
#define DSN_NOTIFY_NEVER 0x01u
#define DSN_NOTIFY_SUCCESS 0x02u
#define DSN_NOTIFY_FAILURE 0x04u
#define DSN_NOTIFY_DELAY 0x08u

/* What the sender of a recipient has been told already, a set. */
#define DSN_TOLD_DELAY 0x01u
/* And what he is to be told of a delivery: it was to a host without DSN. */
#define DSN_TOLD_RELAYED 0x02u
/* Likewise: nothing was delivered, it was an alias of several others. */
#define DSN_TOLD_EXPANDED 0x08u
/* That it has failed could be told to nobody, and is tried no more. */
#define DSN_TOLD_GIVEN_UP 0x04u

/* In the handle of an INJECT: somebody's mail, which is redirected. Others are
 * reports. */
#define INJECT_REDIRECTED 0x80000000u

/* Where a recipient's mail goes: a mailbox of this host, a relay with a name
 * in the configuration, or the MX hosts of the recipient's domain. */
enum route_kind { ROUTE_MAILBOX, ROUTE_RELAY, ROUTE_MX, ROUTE_KINDS };

/* What became of one attempt for one recipient. */
enum report_outcome {
	REPORT_DELIVERED,
	REPORT_DEFERRED,
	REPORT_FAILED,
	REPORT_OUTCOMES
};

/* What a report that is not REPORT_DELIVERED is about: this recipient only,
 * the whole message, or the destination (no host answered), which slows
 * down everything that waits for it. */
enum report_scope {
	REPORT_SCOPE_RECIPIENT,
	REPORT_SCOPE_MESSAGE,
	REPORT_SCOPE_DESTINATION,
	REPORT_SCOPES
};

/* A recipient in the queue; see doc/design.md for who makes each transition.
 * In flight is not a state: it is in memory only, so that a crash forgets it
 * and the recipient is simply due. */
enum recipient_state {
	RECIPIENT_WAITING,   /* due now or later */
	RECIPIENT_HELD,	     /* by the administrator, until released */
	RECIPIENT_FAILED,    /* undeliverable: kept until its sender is told */
	RECIPIENT_DELIVERED, /* and its sender wanted to be told so */
	RECIPIENT_STATES
};

/* The life of a message, for `trace`. */
enum event_kind {
	EVENT_ACCEPTED,
	EVENT_DELIVERED,
	EVENT_DEFERRED,
	EVENT_FAILED,
	EVENT_HELD,
	EVENT_RELEASED,
	EVENT_RETRIED, /* the administrator asked for a try now */
	EVENT_REMOVED,
	EVENT_BOUNCED,	  /* a report about it is in the queue */
	EVENT_WARNED,	  /* the same, of a delay */
	EVENT_EXPIRED,	  /* deferred once more, and then given up */
	EVENT_TRIED,	  /* an address of a host, before the next one */
	EVENT_REDIRECTED, /* another message goes elsewhere instead */
	EVENT_KINDS
};

/* What CTL_ACT asks for. */
enum ctl_verb {
	CTL_VERB_RETRY,
	CTL_VERB_HOLD,
	CTL_VERB_RELEASE,
	CTL_VERB_REMOVE,
	CTL_VERB_BOUNCE,
	CTL_VERB_REDIRECT,
	CTL_VERBS
};

/* Why nothing is delivered to a destination. */
enum pause_kind {
	PAUSE_NONE,
	PAUSE_DESTINATION, /* it was paused by name */
	PAUSE_ALL,	   /* all delivery was */
	PAUSE_KINDS
};

/* Their names as people read them; "unknown" outside the range. */
const char *smtp_protocol_name(unsigned int);
const char *route_kind_name(unsigned int);
const char *report_outcome_name(unsigned int);
const char *recipient_state_name(unsigned int);
const char *event_kind_name(unsigned int);
const char *ctl_verb_name(unsigned int);
/* "FULL" or "HDRS"; "" if none was given. */
const char *dsn_ret_name(unsigned int);

#endif
