/*
 * One recipient that waits, as CTL_ITEM tells it.
 */
#ifndef CTL_ITEM_H
#define CTL_ITEM_H

#include "common/message.h"
#include "ctl/ctl.h"
#include "ctl/format.h"

/* Is it what a queue may send: a known state, an id? */
bool item_is_valid(const struct message_ctl_item *);

void item_print_heading(const struct ctl *);
/* On one line, whole; on a terminal on up to four, none wider than it is. What
 * does not fit there is cut. */
void item_print(const struct ctl *, const struct message_ctl_item *);
void item_print_json(const struct ctl *, const struct message_ctl_item *);
/* "waiting", or "delivering" while an agent has it, or "paused". */
const char *item_state(const struct message_ctl_item *);
/* Starts and ends the colour of a state; nothing without colours. */
void item_colour(const struct ctl *, const struct message_ctl_item *);
void item_colour_end(const struct ctl *);
/* When it is tried next; 0 if more than time keeps it. */
uint64_t item_due(const struct message_ctl_item *);
/* "now", "5m", "-" for one that is not tried. */
struct format_text item_next_try(
    const struct ctl *, const struct message_ctl_item *);
/* Seconds from arrival to now. */
uint64_t item_age(const struct ctl *, uint64_t arrival);

#endif
