#include "smtpd/session_state.h"

static const struct {
	const char *name;
	enum session_turn turn;
} states[SESSION_STATES] = {
	[SESSION_NEW] = { "new", SESSION_TURN_COMMAND },
	[SESSION_GREETED] = { "greeted", SESSION_TURN_COMMAND },
	[SESSION_READY] = { "ready", SESSION_TURN_COMMAND },
	[SESSION_MAIL] = { "mail", SESSION_TURN_COMMAND },
	[SESSION_RCPT] = { "rcpt", SESSION_TURN_COMMAND },
	[SESSION_DATA] = { "data", SESSION_TURN_DATA },
	[SESSION_OUTCOME] = { "outcome", SESSION_TURN_ROUTER },
	[SESSION_ENDED] = { "ended", SESSION_TURN_NOBODY },
};

const char *
session_state_name(enum session_state state)
{
	return state < SESSION_STATES ? states[state].name : "unknown";
}

enum session_turn
session_state_turn(enum session_state state)
{
	return states[state].turn;
}
