#include "ctl/destination.h"

#include "common/mail.h"

bool
destination_is_valid(const struct message_ctl_destination *d)
{
	return d->name[0] != '\0' && d->paused < PAUSE_KINDS;
}

bool
destination_is_down(
    const struct ctl *ctl, const struct message_ctl_destination *d)
{
	return d->backoff_until > (uint64_t)ctl->now;
}

struct format_text
destination_backoff(
    const struct ctl *ctl, const struct message_ctl_destination *d)
{
	if (d->paused != PAUSE_NONE)
		return (struct format_text){ "paused" };
	return format_until(destination_is_down(ctl, d) ? d->backoff_until : 0,
	    (uint64_t)ctl->now);
}

struct format_text
destination_next_try(
    const struct ctl *ctl, const struct message_ctl_destination *d)
{
	return format_until(
	    d->paused == PAUSE_NONE ? d->next_try : 0, (uint64_t)ctl->now);
}
