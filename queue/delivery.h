/*
 * One message for one destination, as the scheduler hands it to an agent.
 */
#ifndef QUEUE_DELIVERY_H
#define QUEUE_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/store_row.h"

/* Recipients of one message that a remote host is given at once. */
#define DELIVERY_RECIPIENTS 100

struct destination;
struct flight;
struct lifecycle_report;

/* All that it points to is lent during the call, but for the flights, which
 * the agent has from then on, and the descriptor. */
struct delivery {
	uint64_t id;
	struct destination *destination;
	struct row_message message;
	int fd;
	bool fresh; /* it came a moment ago, and was not tried yet */
	unsigned int count;
	struct row_recipient recipients[DELIVERY_RECIPIENTS];
	struct flight *flights[DELIVERY_RECIPIENTS];
};

enum agent_state {
	AGENT_READY,
	AGENT_COMING,  /* scheduler_agent_ready() will be called */
	AGENT_FULL,    /* scheduler_slot_free() will be called */
	AGENT_REFUSED, /* there will be none: see the refusal */
};

/* What the scheduler needs of its agents. */
struct delivery_agents {
	/* Is there an agent for this destination? If not, it is fetched. */
	enum agent_state (*ready)(
	    struct destination *, struct lifecycle_report *refusal);
	/* Takes the descriptor, and unless it returns -1 the flights. Each
	 * flight comes back by scheduler_report() or scheduler_lost(), and
	 * then the delivery ends with scheduler_delivery_end(). */
	int (*deliver)(const struct delivery *);
};

#endif
