#include "queue/tell.h"

#include <string.h>

#include "common/dsn.h"
#include "common/mail.h"
#include "queue/store_row.h"

bool
tell_is_notice(const struct row_message *m)
{
	return m->sender[0] == '\0' && m->client_address[0] == '\0' &&
	       strcmp(m->helo, TELL_HELO_NOTICE) == 0;
}

static bool
wants(const struct row_recipient *r, unsigned int notify)
{
	return (dsn_notify_wishes(r->notify) & notify) != 0;
}

static bool
is_late(const struct row_message *m, unsigned int warn_after, uint64_t now)
{
	return warn_after != 0 && now >= m->arrival &&
	       (now - m->arrival) / 1000 >= warn_after;
}

/* Is there something to say? It was tried, or its host is down for others. */
static bool
has_reason(const struct row_recipient *r)
{
	return r->attempts > 0 || r->reply[0] != '\0';
}

bool
tell_success(
    const struct row_message *m, const struct row_recipient *r, bool relayed)
{
	return m->sender[0] != '\0' && (r->notify & DSN_NOTIFY_SUCCESS) != 0 &&
	       (relayed || r->kind == ROUTE_MAILBOX);
}

enum tell_what
tell_what(const struct row_message *m, const struct row_recipient *r,
    unsigned int warn_after, uint64_t now)
{
	if (tell_is_notice(m))
		return TELL_NOTHING;
	if (r->state == RECIPIENT_FAILED)
		return wants(r, DSN_NOTIFY_FAILURE) &&
			       (r->told & DSN_TOLD_GIVEN_UP) == 0
			   ? TELL_FAILURE
			   : TELL_NOTHING;
	if (r->state == RECIPIENT_DELIVERED)
		return TELL_SUCCESS;
	if (r->state != RECIPIENT_WAITING || m->sender[0] == '\0' ||
	    !has_reason(r) || (r->told & DSN_TOLD_DELAY) != 0 ||
	    !is_late(m, warn_after, now))
		return TELL_NOTHING;
	return wants(r, DSN_NOTIFY_DELAY) ? TELL_DELAY : TELL_NOTHING;
}
