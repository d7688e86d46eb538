#include "queue/dsn_status.h"

#include <string.h>

#include <bsd/string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *
dsn_action_name(enum dsn_action action)
{
	switch (action) {
	case DSN_FAILED:
		return "failed";
	case DSN_DELAYED:
		return "delayed";
	case DSN_DELIVERED:
		return "delivered";
	case DSN_RELAYED:
		return "relayed";
	case DSN_EXPANDED:
		return "expanded";
	}
	return "failed";
}

bool
dsn_status_is_smtp(const char *reply)
{
	return reply[0] >= '2' && reply[0] <= '5' && is_digit(reply[1]) &&
	       is_digit(reply[2]) &&
	       (reply[3] == ' ' || reply[3] == '-' || reply[3] == '\0');
}

/* One to three digits, and no zero before others (RFC 3464 2.3.4); 0 if there
 * are none. */
static size_t
number_length(const char *text)
{
	size_t i = 0;

	while (i < 3 && is_digit(text[i]))
		i++;
	return i > 1 && text[0] == '0' ? 0 : i;
}

/* The length of "5.1.1" at the beginning; 0 if none stands there. */
static size_t
enhanced_length(const char *text)
{
	size_t subject, detail;

	if ((text[0] != '2' && text[0] != '4' && text[0] != '5') ||
	    text[1] != '.')
		return 0;
	subject = number_length(text + 2);
	if (subject == 0 || text[2 + subject] != '.')
		return 0;
	detail = number_length(text + 3 + subject);
	if (detail == 0 || is_digit(text[3 + subject + detail]))
		return 0;
	return 3 + subject + detail;
}

static char
class_of(enum dsn_action action)
{
	switch (action) {
	case DSN_FAILED:
		return '5';
	case DSN_DELAYED:
		return '4';
	case DSN_DELIVERED:
	case DSN_RELAYED:
	case DSN_EXPANDED:
		return '2';
	}
	return '5';
}

static const char *
text_of(const char *reply)
{
	return dsn_status_is_smtp(reply) && reply[3] != '\0' ? reply + 4
							     : reply;
}

/* The code of a reply decides. An enhanced code behind another code is a
 * mistake, and a number that stands there may be anything. */
bool
dsn_status_is_given_up(const char *reply)
{
	if (dsn_status_is_smtp(reply))
		return reply[0] == '4';
	return reply[0] == '4' && enhanced_length(reply) > 0;
}

void
dsn_status_of(enum dsn_action action, const char *reply, char *status)
{
	const char *text = text_of(reply);
	size_t length = enhanced_length(text);
	char class = class_of(action);

	if (length > 0 && length < DSN_STATUS_SIZE && text[0] == class) {
		memcpy(status, text, length);
		status[length] = '\0';
		return;
	}
	strlcpy(status, "5.0.0", DSN_STATUS_SIZE);
	/* What failed with a reply of "try again" was tried for too long. */
	if (action == DSN_FAILED && dsn_status_is_given_up(reply))
		strlcpy(status, "5.4.7", DSN_STATUS_SIZE);
	status[0] = class;
}
