#include "common/mail.h"

#include <stddef.h>

static const char *const protocols[SMTP_PROTOCOLS] = {
	[SMTP_PROTOCOL_SMTP] = "SMTP",
	[SMTP_PROTOCOL_ESMTP] = "ESMTP",
	[SMTP_PROTOCOL_ESMTPS] = "ESMTPS",
	[SMTP_PROTOCOL_ESMTPA] = "ESMTPA",
	[SMTP_PROTOCOL_ESMTPSA] = "ESMTPSA",
	[SMTP_PROTOCOL_LOCAL] = "local",
};

static const char *const kinds[ROUTE_KINDS] = {
	[ROUTE_MAILBOX] = "mailbox",
	[ROUTE_RELAY] = "relay",
	[ROUTE_MX] = "mx",
};

static const char *const outcomes[REPORT_OUTCOMES] = {
	[REPORT_DELIVERED] = "delivered",
	[REPORT_DEFERRED] = "deferred",
	[REPORT_FAILED] = "failed",
};

static const char *const states[RECIPIENT_STATES] = {
	[RECIPIENT_WAITING] = "waiting",
	[RECIPIENT_HELD] = "held",
	[RECIPIENT_FAILED] = "failed",
	[RECIPIENT_DELIVERED] = "delivered",
};

static const char *const events[EVENT_KINDS] = {
	[EVENT_ACCEPTED] = "accepted",
	[EVENT_DELIVERED] = "delivered",
	[EVENT_DEFERRED] = "deferred",
	[EVENT_FAILED] = "failed",
	[EVENT_HELD] = "held",
	[EVENT_RELEASED] = "released",
	[EVENT_RETRIED] = "retried",
	[EVENT_REMOVED] = "removed",
	[EVENT_BOUNCED] = "bounced",
	[EVENT_WARNED] = "warned",
	[EVENT_EXPIRED] = "expired",
	[EVENT_TRIED] = "tried",
	[EVENT_REDIRECTED] = "redirected",
};

static const char *const verbs[CTL_VERBS] = {
	[CTL_VERB_RETRY] = "retry",
	[CTL_VERB_HOLD] = "hold",
	[CTL_VERB_RELEASE] = "release",
	[CTL_VERB_REMOVE] = "remove",
	[CTL_VERB_BOUNCE] = "bounce",
	[CTL_VERB_REDIRECT] = "redirect",
};

static const char *
name_of(const char *const *names, unsigned int count, unsigned int number)
{
	return number < count && names[number] != NULL ? names[number]
						       : "unknown";
}

const char *
dsn_ret_name(unsigned int number)
{
	static const char *const rets[DSN_RETS] = {
		[DSN_RET_NONE] = "",
		[DSN_RET_FULL] = "FULL",
		[DSN_RET_HDRS] = "HDRS",
	};

	return name_of(rets, DSN_RETS, number);
}

const char *
smtp_protocol_name(unsigned int number)
{
	return name_of(protocols, SMTP_PROTOCOLS, number);
}

const char *
route_kind_name(unsigned int number)
{
	return name_of(kinds, ROUTE_KINDS, number);
}

const char *
report_outcome_name(unsigned int number)
{
	return name_of(outcomes, REPORT_OUTCOMES, number);
}

const char *
recipient_state_name(unsigned int number)
{
	return name_of(states, RECIPIENT_STATES, number);
}

const char *
event_kind_name(unsigned int number)
{
	return name_of(events, EVENT_KINDS, number);
}

const char *
ctl_verb_name(unsigned int number)
{
	return name_of(verbs, CTL_VERBS, number);
}
