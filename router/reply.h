/*
 * An SMTP reply to a command of the client: the code, and the text that
 * begins with the enhanced code of RFC 3463.
 */
#ifndef ROUTER_REPLY_H
#define ROUTER_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"

struct reply {
	uint16_t code;
	char text[LIMIT_REPLY + 1];
};

void reply_set(struct reply *, uint16_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool reply_is_positive(const struct reply *);
bool reply_is_temporary(const struct reply *);

#endif
