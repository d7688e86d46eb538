/*
 * Which messages a command means, as the user wrote it. Pure.
 */
#ifndef CTL_FILTER_H
#define CTL_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/* An empty text or a zero matches all. The texts are the user's, lent. */
struct filter {
	const char *sender;
	const char *recipient;
	const char *destination;
	const char *reply;
	uint64_t age;  /* the least, in seconds */
	uint64_t size; /* the least, in octets */
	uint8_t state; /* enum recipient_state + 1 */
};

#define FILTER_EVERYTHING                                                     \
	{                                                                     \
		.sender = "", .recipient = "", .destination = "", .reply = "" \
	}

bool filter_is_everything(const struct filter *);

/* "90s", "5m", "1h30m", "2d", "1w"; a number alone is seconds. -1 if it is
 * not a duration, or one of more than a hundred years. */
int filter_parse_duration(const char *, uint64_t *seconds)
    __attribute__((warn_unused_result));

/* "4711", "10K", "5M", "1G". -1 if it is not a size above nothing. */
int filter_parse_size(const char *, uint64_t *octets)
    __attribute__((warn_unused_result));

/* The name of a state. -1 if there is none of that name. */
int filter_parse_state(const char *, uint8_t *state)
    __attribute__((warn_unused_result));

#endif
