/*
 * All agents as the scheduler sees them: local workers and remote ones.
 */
#ifndef QUEUE_AGENTS_H
#define QUEUE_AGENTS_H

#include "queue/delivery.h"

extern const struct delivery_agents agents;

#endif
