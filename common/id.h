/*
 * A message's one id: 64 bits, ordered by time, shown as 13 characters.
 *
 * The upper 44 bits are milliseconds since the epoch, the lower 20 a counter
 * that starts at a random place, so that two routers that live side by side
 * during a reload do not meet. Within one process ids only grow, also when
 * the clock is set back.
 */
#ifndef COMMON_ID_H
#define COMMON_ID_H

#include <stdint.h>

#define ID_TEXT_SIZE 14 /* 13 characters and a NUL */

struct id_text {
	char text[ID_TEXT_SIZE];
};

uint64_t id_new(void);
/* Base32 (Crockford's alphabet, lower case): ids sort as text. */
struct id_text id_format(uint64_t);
/* Accepts either case. -1 if it is not an id; an id is never 0. */
int id_parse(const char *, uint64_t *) __attribute__((warn_unused_result));
/* Seconds since the epoch at which the id was made. */
uint64_t id_time(uint64_t);

#endif
