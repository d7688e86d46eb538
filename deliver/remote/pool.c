#include "deliver/remote/pool.h"

#include <stdint.h>
#include <string.h>

#include <bsd/string.h>

RB_HEAD(pool_tree, pool_entry);

/* Many connections may have the same key; their addresses tell them apart. */
static int
compare(const struct pool_entry *a, const struct pool_entry *b)
{
	int order = strcmp(a->key, b->key);

	if (order != 0)
		return order;
	return ((uintptr_t)a->connection > (uintptr_t)b->connection) -
	       ((uintptr_t)a->connection < (uintptr_t)b->connection);
}

RB_PROTOTYPE(pool_tree, pool_entry, by_key, compare)
RB_GENERATE(pool_tree, pool_entry, by_key, compare)

static struct pool_tree tree;
static TAILQ_HEAD(ages, pool_entry) ages;

void
pool_init(void)
{
	RB_INIT(&tree);
	TAILQ_INIT(&ages);
}

void
pool_put(struct pool_entry *e)
{
	RB_INSERT(pool_tree, &tree, e);
	TAILQ_INSERT_TAIL(&ages, e, by_age);
	e->idle = true;
}

void
pool_remove(struct pool_entry *e)
{
	if (!e->idle)
		return;
	RB_REMOVE(pool_tree, &tree, e);
	TAILQ_REMOVE(&ages, e, by_age);
	e->idle = false;
}

struct connection *
pool_find(const char *key)
{
	struct pool_entry lowest = { .connection = NULL };
	struct pool_entry *e;

	strlcpy(lowest.key, key, sizeof(lowest.key));
	e = RB_NFIND(pool_tree, &tree, &lowest);
	return e != NULL && strcmp(e->key, key) == 0 ? e->connection : NULL;
}

struct connection *
pool_oldest(void)
{
	struct pool_entry *e = TAILQ_FIRST(&ages);

	return e == NULL ? NULL : e->connection;
}
