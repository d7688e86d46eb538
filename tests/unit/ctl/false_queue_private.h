/*
 * What the files false_queue*.c share.
 */
#ifndef TESTS_UNIT_CTL_FALSE_QUEUE_PRIVATE_H
#define TESTS_UNIT_CTL_FALSE_QUEUE_PRIVATE_H

#include <stdbool.h>

#include "common/mail.h"
#include "queue/query.h"
#include "tests/unit/ctl/false_queue.h"

struct event_base;

extern struct row_recipient false_rows[SPECIAL];
extern bool false_gone[SPECIAL];
/* What has come besides: with each bounce a report, like all the others. */
extern unsigned int false_late;

enum pause_kind false_pause_kind(const char *destination);
/* What is asked of it is done a little later, as after a commit. */
void false_acts_start(struct event_base *);

#endif
