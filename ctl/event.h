/*
 * One thing that happened to a message, as `trace` shows it.
 */
#ifndef CTL_EVENT_H
#define CTL_EVENT_H

#include "common/message.h"
#include "ctl/ctl.h"

/* A line for what happened to whom, and paragraphs for what is known of it.
 * `via` has been found valid. */
void event_print(const struct ctl *, const struct message_ctl_event *);
void event_print_json(const struct ctl *, const struct message_ctl_event *);

#endif
