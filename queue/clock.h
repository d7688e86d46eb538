/*
 * Wall time, for what is written down and for schedules.
 */
#ifndef QUEUE_CLOCK_H
#define QUEUE_CLOCK_H

#include <stdint.h>

/* Since the epoch. */
uint64_t clock_milliseconds(void);
uint64_t clock_seconds(void);

#endif
