#include "ctl/groups.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 16384

struct groups {
	struct group *buckets[BUCKETS];
	struct group **sorted; /* room for all */
	size_t count, most;
	struct group others;
};

struct groups *
groups_new(size_t most)
{
	struct groups *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->sorted = calloc(most > 0 ? most : 1, sizeof(struct group *));
	g->most = most;
	g->others = (struct group){
		.state = "others",
		.destination = "",
		.reason = "",
	};
	if (g->sorted == NULL)
		groups_free(&g);
	return g;
}

void
groups_free(struct groups **pointer)
{
	struct groups *g = *pointer;

	*pointer = NULL;
	if (g == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (g->buckets[i] != NULL) {
			struct group *group = g->buckets[i];

			g->buckets[i] = group->next;
			free(group);
		}
	free(g->sorted);
	free(g);
}

/* FNV-1a. Whoever chooses replies so that they collide makes one listing
 * slower, and no other program. */
static uint64_t
mix(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	while (*text++ != '\0');
	return hash;
}

static uint64_t
hash_of(const char *state, const char *destination, const char *reason)
{
	return mix(mix(mix(UINT64_C(14695981039346656037), state), destination),
	    reason);
}

/* Where the pointer to the group is, or to NULL at the end of its bucket. */
static struct group **
find(struct groups *g, const char *state, const char *destination,
    const char *reason, uint64_t hash)
{
	struct group **at = &g->buckets[hash % BUCKETS];

	for (; *at != NULL; at = &(*at)->next)
		if ((*at)->hash == hash && strcmp((*at)->state, state) == 0 &&
		    strcmp((*at)->destination, destination) == 0 &&
		    strcmp((*at)->reason, reason) == 0)
			break;
	return at;
}

static struct group *
group_new(struct groups *g, const char *state, const char *destination,
    const char *reason)
{
	size_t first = strlen(destination) + 1, second = strlen(reason) + 1;
	struct group *group;
	char *texts;

	if (g->count == g->most)
		return NULL;
	group = calloc(1, sizeof(*group) + first + second);
	if (group == NULL)
		return NULL;
	texts = (char *)(group + 1);
	group->state = state;
	group->destination = memcpy(texts, destination, first);
	group->reason = memcpy(texts + first, reason, second);
	g->count++;
	return group;
}

static void
add_to(struct group *group, uint64_t count, uint64_t oldest, uint64_t next_try)
{
	if (next_try != 0 &&
	    (group->next_try == 0 || next_try < group->next_try))
		group->next_try = next_try;
	if (group->count == 0 || oldest < group->oldest)
		group->oldest = oldest;
	group->count += count;
}

void
groups_add(struct groups *g, const char *state, const char *destination,
    const char *reason, uint64_t count, uint64_t oldest, uint64_t next_try)
{
	uint64_t hash = hash_of(state, destination, reason);
	struct group **at = find(g, state, destination, reason, hash);

	if (*at == NULL) {
		*at = group_new(g, state, destination, reason);
		if (*at != NULL)
			(*at)->hash = hash;
	}
	add_to(*at != NULL ? *at : &g->others, count, oldest, next_try);
}

void
groups_give_reason(struct groups *g, const char *state, const char *destination,
    const char *reason)
{
	struct group **at =
	    find(g, state, destination, "", hash_of(state, destination, ""));
	struct group *group = *at;

	if (group == NULL || reason[0] == '\0')
		return;
	*at = group->next;
	g->count--;
	groups_add(g, state, destination, reason, group->count, group->oldest,
	    group->next_try);
	free(group);
}

static int
compare(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a;
	const struct group *y = *(struct group *const *)b;
	int by_name;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	by_name = strcmp(x->destination, y->destination);
	return by_name != 0 ? by_name : strcmp(x->reason, y->reason);
}

struct group **
groups_sort(struct groups *g, size_t *count)
{
	size_t n = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct group *x = g->buckets[i]; x != NULL; x = x->next)
			g->sorted[n++] = x;
	qsort(g->sorted, n, sizeof(struct group *), compare);
	*count = n;
	return g->sorted;
}

const struct group *
groups_others(const struct groups *g)
{
	return &g->others;
}
