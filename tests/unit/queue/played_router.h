/*
 * A router that the test plays: what it is given is kept, and sent back when
 * the test says. Of several only the last is kept. Programs that use it wrap
 * event_add() and event_new(): the clock stands still, timers go off at each
 * look, and end with the test.
 */
#ifndef TESTS_UNIT_QUEUE_PLAYED_ROUTER_H
#define TESTS_UNIT_QUEUE_PLAYED_ROUTER_H

#include <event2/event.h>

#include "tests/unit/queue/rig.h"

#include "common/message.h"

struct played_given {
	uint32_t handle;
	char to[LIMIT_PATH + 1];
	char sender[LIMIT_PATH + 1];
	char orcpt[LIMIT_ORCPT + 1];
	uint8_t body, notify;
	uint32_t hops;
	int fd; /* -1: nothing, or it was dropped */
	uint64_t size;
};

extern struct played_given given;
extern unsigned int given_count;
extern bool router_is_there, queue_drains;
extern int router; /* its address says who it is */
/* The loop whose timers go off at each look, and what the last one was to wait
 * for. */
extern struct event_base *base;
extern struct timeval played_wait;

/* Before each test. */
void played_reset(void);
void played_begin(void);
/* Nothing of the reporter or the redirector is used after it. */
void played_end(void);
void played_look(void);
void played_drop(void);
/* The message that the router makes of what it was given, with these texts in
 * its envelope; as link_router.c makes it, but for whose it is. */
struct submission *played_send_back(const char *sender, const char *text);

#endif
