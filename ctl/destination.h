/*
 * One place where mail waits, as CTL_DESTINATION tells it.
 */
#ifndef CTL_DESTINATION_H
#define CTL_DESTINATION_H

#include <stdbool.h>

#include "common/message.h"
#include "ctl/ctl.h"
#include "ctl/format.h"

/* Is it what a queue may send: with a name, paused in a way that there is? */
bool destination_is_valid(const struct message_ctl_destination *);
/* Nothing is tried there for now, since the host as a whole failed. */
bool destination_is_down(
    const struct ctl *, const struct message_ctl_destination *);
/* For how long: "12m"; "paused", or "-" for one that is well. */
struct format_text destination_backoff(
    const struct ctl *, const struct message_ctl_destination *);
/* "now", "5m", "-" if nothing is going to be tried. */
struct format_text destination_next_try(
    const struct ctl *, const struct message_ctl_destination *);

#endif
