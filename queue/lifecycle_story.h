/*
 * What lifecycle.c tells of what it did: to the history and to the log. Nobody
 * else includes this.
 */
#ifndef QUEUE_LIFECYCLE_STORY_H
#define QUEUE_LIFECYCLE_STORY_H

#include <stdint.h>

#include "queue/lifecycle.h"

struct recipient;

/* To the history. */
int story_add_accepted(struct lifecycle *, const struct submission *,
    uint32_t number) __attribute__((warn_unused_result));
/* `facts`: what else is known of it. */
int story_add(struct lifecycle *, const struct recipient *,
    enum lifecycle_event, uint64_t now, const struct row_event *facts)
    __attribute__((warn_unused_result));
/* An attempt, whose recipient has been changed by it already. */
int story_add_report(struct lifecycle *, const struct recipient *,
    enum lifecycle_event, uint64_t now, const struct lifecycle_report *)
    __attribute__((warn_unused_result));
/* An address that did not take the message, before another one is tried. */
int story_add_tried(struct lifecycle *, const struct lifecycle_report *,
    uint64_t now) __attribute__((warn_unused_result));

/* To the log, after the commit: set the result's line. */
void story_tell_report(struct lifecycle_result *, const struct recipient *,
    const struct lifecycle_report *, uint64_t arrival, uint64_t now);
void story_tell_verb(
    struct lifecycle_result *, const struct recipient *, uint32_t uid);
void story_tell_telling(
    struct lifecycle_result *, const struct telling *, uint64_t report);
void story_tell_damage(struct lifecycle_result *, const char *destination,
    const struct row_place *, const char *reason);

void story_tell_redirection(
    struct lifecycle_result *, const struct redirection *, uint64_t made);

#endif
