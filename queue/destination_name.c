#include "queue/destination_name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/login.h"
#include "common/mail.h"

static int
compose(const char *prefix, const char *rest, char *destination)
{
	int length =
	    snprintf(destination, LIMIT_DESTINATION + 1, "%s%s", prefix, rest);

	if (rest[0] != '\0' && length > 0 && length <= LIMIT_DESTINATION)
		return 0;
	errno = EPROTO;
	return -1;
}

int
destination_name(uint8_t kind, const char *name, const char *user,
    const char *domain, char *destination)
{
	/* The worker is named by the user, the delivery by the mailbox. */
	if (kind == ROUTE_MAILBOX && name[0] != '\0')
		return compose("local:", user, destination);
	if (kind == ROUTE_RELAY)
		return compose("relay:", name, destination);
	if (kind == ROUTE_MX)
		return compose("mx:", domain, destination);
	errno = EPROTO;
	return -1;
}

/* As the configuration's words and texts are: any octets but controls. */
bool
destination_thing_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > LIMIT_NAME)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	return true;
}

/* What follows the prefix; NULL if the text has another one. */
static const char *
behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

int
destination_parse(const char *text, char *destination)
{
	struct address address;
	const char *rest;

	if ((rest = behind(text, "mx:")) != NULL && rest[0] != '\0' &&
	    address_make("x", rest, &address) == 0)
		return compose("mx:", address.domain, destination);
	if ((rest = behind(text, "local:")) != NULL &&
	    login_name_is_valid(rest))
		return compose("local:", rest, destination);
	if ((rest = behind(text, "relay:")) != NULL &&
	    destination_thing_is_valid(rest))
		return compose("relay:", rest, destination);
	errno = EPROTO;
	return -1;
}
