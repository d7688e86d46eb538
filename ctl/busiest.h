/*
 * The busiest of many destinations: as many as a screen shows, whatever their
 * number.
 */
#ifndef CTL_BUSIEST_H
#define CTL_BUSIEST_H

#include <stdint.h>

#include "common/limits.h"
#include "common/message.h"

#define BUSIEST_MOST 200

struct busiest_entry {
	char name[LIMIT_DESTINATION + 1];
	char reply[LIMIT_REPLY + 1];
	struct message_ctl_destination d; /* its texts are these two */
};

/* Zero is empty. The busiest first: most in flight, then most waiting. */
struct busiest {
	unsigned int count;
	unsigned int order[BUSIEST_MOST]; /* of the entries */
	struct busiest_entry entries[BUSIEST_MOST];
};

void busiest_add(struct busiest *, const struct message_ctl_destination *);
/* The n-th; `n` is below `count`. */
const struct message_ctl_destination *busiest_get(
    const struct busiest *, unsigned int n);

#endif
