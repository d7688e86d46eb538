#include "router/visits.h"

#include <stdlib.h>
#include <string.h>

static int
compare_names(const struct visit *visit, const char *mailbox, const char *key)
{
	int order = strcmp(mailbox, visit->mailbox);

	return order != 0 ? order : strcmp(key, visit->key);
}

static int
compare(const struct visit *a, const struct visit *b)
{
	return compare_names(b, a->mailbox, a->key);
}

RB_PROTOTYPE(visit_tree, visit, node, compare)
RB_GENERATE(visit_tree, visit, node, compare)

void
visits_init(struct visits *visits)
{
	RB_INIT(&visits->tree);
	SLIST_INIT(&visits->list);
	visits->count = 0;
}

void
visits_clear(struct visits *visits)
{
	struct visit *visit;

	while ((visit = SLIST_FIRST(&visits->list)) != NULL) {
		SLIST_REMOVE_HEAD(&visits->list, next);
		free(visit);
	}
	visits_init(visits);
}

struct visit *
visits_find(struct visits *visits, const char *mailbox, const char *key)
{
	struct visit *visit = RB_ROOT(&visits->tree);

	while (visit != NULL) {
		int order = compare_names(visit, mailbox, key);

		if (order == 0)
			return visit;
		visit =
		    order < 0 ? RB_LEFT(visit, node) : RB_RIGHT(visit, node);
	}
	return NULL;
}

struct visit *
visits_add(struct visits *visits, const char *mailbox, const char *key)
{
	size_t size = strlen(key) + 1;
	struct visit *visit = calloc(1, sizeof(*visit) + size);

	if (visit == NULL)
		return NULL;
	visit->mailbox = mailbox;
	visit->open = true;
	memcpy(visit->key, key, size);
	RB_INSERT(visit_tree, &visits->tree, visit);
	SLIST_INSERT_HEAD(&visits->list, visit, next);
	visits->count++;
	return visit;
}
