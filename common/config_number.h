/*
 * Numbers with units as they are written in a configuration.
 */
#ifndef COMMON_CONFIG_NUMBER_H
#define COMMON_CONFIG_NUMBER_H

#include <stdint.h>
#include <stdio.h>

enum number_unit {
	NUMBER_PLAIN,
	NUMBER_SIZE,	 /* octets; K M G T, by 1024 */
	NUMBER_DURATION, /* s m h d w; a unit is required */
};

/* -1 if it is not such a number or too large. */
int number_parse(const char *, enum number_unit, uint64_t *)
    __attribute__((warn_unused_result));

/* With the largest unit that leaves no rest. */
void number_print(FILE *, uint64_t, enum number_unit);

#endif
