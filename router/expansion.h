/*
 * What an expansion draws on, and what comes of it.
 */
#ifndef ROUTER_EXPANSION_H
#define ROUTER_EXPANSION_H

#include "common/config.h"
#include "router/reply.h"
#include "router/routes.h"
#include "router/table.h"
#include "router/users.h"

struct expander {
	const struct config *config;
	struct tables *tables;
	struct users *users;
};

struct expansion {
	struct reply reply;   /* 250, or why not */
	unsigned int rule;    /* the line of the rule that decided; 0 */
	struct routes routes; /* the caller clears or moves them */
};

#endif
