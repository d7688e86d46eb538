#include "queue/destination_name.h"

#include <errno.h>
#include <stdio.h>

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
