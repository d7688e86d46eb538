/*
 * What a recipient waits for, as a text: "local:USER", "relay:NAME" or
 * "mx:DOMAIN". Recipients with the same text share one place in the queue.
 * Pure.
 */
#ifndef QUEUE_DESTINATION_NAME_H
#define QUEUE_DESTINATION_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"

/* Writes at most LIMIT_DESTINATION + 1 octets. -1 and EPROTO if the route
 * lacks what its kind needs. */
int destination_name(uint8_t kind, const char *name, const char *user,
    const char *domain, char *destination) __attribute__((warn_unused_result));

/* Could the configuration have this name for a relay or a mailbox? */
bool destination_thing_is_valid(const char *name);
/* One as a person writes it, made what destination_name() would have made. -1
 * and EPROTO if no mail can ever be for it. */
int destination_parse(const char *text, char *destination)
    __attribute__((warn_unused_result));

#endif
