/*
 * The idle connections, by destination and by age.
 */
#ifndef REMOTE_POOL_H
#define REMOTE_POOL_H

#include <stdbool.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "common/limits.h"

struct connection;

/* "relay:NAME" or "mx:DOMAIN" */
#define POOL_KEY_SIZE (LIMIT_DOMAIN + 8)

/* Lives in the connection. */
struct pool_entry {
	RB_ENTRY(pool_entry) by_key;
	TAILQ_ENTRY(pool_entry) by_age;
	struct connection *connection;
	char key[POOL_KEY_SIZE];
	bool idle;
};

void pool_init(void);
void pool_put(struct pool_entry *);
/* Does nothing if it is not in the pool. */
void pool_remove(struct pool_entry *);
/* Not removed yet. NULL if there is none. */
struct connection *pool_find(const char *key);
struct connection *pool_oldest(void);

#endif
