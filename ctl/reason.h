/*
 * What a reply says, without what differs from one time to the next, so that
 * like replies are the same text: addresses become "*", numbers and ids "#".
 * The reply code and the enhanced status code stay. Pure.
 */
#ifndef CTL_REASON_H
#define CTL_REASON_H

#include <stddef.h>

/* A reason ends here, whatever the reply goes on to say. */
#define REASON_MOST 160

/* All lines of the reply in one. `to` has REASON_MOST + 1 octets. UTF-8 is not
 * cut within a character. */
void reason_normalise(char *to, const char *reply);

#endif
