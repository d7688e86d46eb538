#include "common/dsn.h"

#include <string.h>

#include <bsd/string.h>

#include "common/limits.h"
#include "common/mail.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	/* RFC 3461 4: capital letters only. */
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
dsn_xtext_is_valid(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (text[i] < '!' || text[i] > '~' || text[i] == '=')
			return false;
		if (text[i] != '+')
			continue;
		if (length - i < 3)
			return false;
		high = hex_value(text[i + 1]);
		low = hex_value(text[i + 2]);
		/* RFC 3461 4.2, 4.4: what it stands for is printable. */
		if (high < 2 || high > 7 || low == -1 ||
		    (high == 7 && low == 15))
			return false;
		i += 2;
	}
	return true;
}

bool
dsn_ret_is_valid(unsigned int ret)
{
	return ret < DSN_RETS;
}

bool
dsn_notify_is_valid(unsigned int notify)
{
	return notify == DSN_NOTIFY_NEVER ||
	       (notify & ~(DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE |
			     DSN_NOTIFY_DELAY)) == 0;
}

unsigned int
dsn_notify_wishes(uint8_t notify)
{
	if (notify == 0)
		return DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY;
	return notify & ~(unsigned int)DSN_NOTIFY_NEVER;
}

uint8_t
dsn_notify_merge(uint8_t a, uint8_t b)
{
	return a == b ? a
		      : (uint8_t)(dsn_notify_wishes(a) | dsn_notify_wishes(b));
}

bool
dsn_told_is_valid(unsigned int told)
{
	return (told & ~(DSN_TOLD_DELAY | DSN_TOLD_RELAYED | DSN_TOLD_EXPANDED |
			   DSN_TOLD_GIVEN_UP)) == 0;
}

bool
dsn_envid_is_valid(const char *envid)
{
	size_t length = strlen(envid);

	return length <= LIMIT_ENVID && dsn_xtext_is_valid(envid, length);
}

/* RFC 3461 4.2: addr-type is an atom (RFC 5322 3.2.3); and since it stands in
 * an ESMTP value, without "=". */
static bool
type_is_valid(const char *type, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = type[i];

		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') &&
		    (c < 'a' || c > 'z') &&
		    (c == '\0' || strchr("!#$%&'*+-/?^_`{|}~", c) == NULL))
			return false;
	}
	return length > 0;
}

bool
dsn_orcpt_is_valid(const char *orcpt)
{
	size_t length = strlen(orcpt);
	size_t type = strcspn(orcpt, ";");

	if (length == 0)
		return true;
	return length <= LIMIT_ORCPT && type + 1 < length &&
	       type_is_valid(orcpt, type) &&
	       dsn_xtext_is_valid(orcpt + type + 1, length - type - 1);
}

const char *
dsn_notify_text(char *text, unsigned int notify)
{
	static const struct {
		unsigned int bit;
		const char *word;
	} words[] = {
		{ DSN_NOTIFY_NEVER, "NEVER" },
		{ DSN_NOTIFY_SUCCESS, "SUCCESS" },
		{ DSN_NOTIFY_FAILURE, "FAILURE" },
		{ DSN_NOTIFY_DELAY, "DELAY" },
	};

	*text = '\0';
	if (!dsn_notify_is_valid(notify))
		return text;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((notify & words[i].bit) != 0) {
			if (*text != '\0')
				strlcat(text, ",", DSN_NOTIFY_TEXT);
			strlcat(text, words[i].word, DSN_NOTIFY_TEXT);
		}
	return text;
}
