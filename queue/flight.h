/*
 * The recipients that are in flight: handed to an agent, or reported and not
 * committed yet. In memory only. While a recipient is here it is not handed
 * out again.
 */
#ifndef QUEUE_FLIGHT_H
#define QUEUE_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include <bsd/sys/tree.h>

struct destination;

struct flight {
	RB_ENTRY(flight) by_recipient;
	uint64_t id;
	uint32_t number;
	struct destination *destination;
};

/* NULL with ENOMEM; the recipient must not be in flight. */
struct flight *flight_new(uint64_t id, uint32_t number, struct destination *)
    __attribute__((warn_unused_result));
void flight_free(struct flight **);

bool flight_exists(uint64_t id, uint32_t number);
/* Is any recipient of this message in flight? */
bool flight_exists_any(uint64_t id);
unsigned int flight_count(void);

#endif
