/*
 * Writes what the user meant into the questions of common/message.def.
 */
#ifndef CTL_SELECT_H
#define CTL_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mail.h"
#include "common/message.h"
#include "ctl/filter.h"

/* An `id` of zero means any. Texts are lent. `to` is "" but for redirect. */
void select_list(struct message *, uint64_t id, const struct filter *);
void select_act(struct message *, enum ctl_verb, bool dry_run, uint64_t id,
    const struct filter *, const char *to);

#endif
