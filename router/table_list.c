/*
 * A table that is written in the configuration: { "one" "two" }. Its keys
 * have no values.
 */
#include <stdlib.h>
#include <strings.h>

#include "router/table_kind.h"

struct list {
	const struct table_config *config;
	const char **keys; /* sorted */
	size_t count;
};

static int
compare(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static void
list_close(void *data)
{
	struct list *list = data;

	free(list->keys);
	free(list);
}

static void *
list_open(const struct table_config *config)
{
	struct list *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return NULL;
	list->config = config;
	while (config->values[list->count] != NULL)
		list->count++;
	list->keys = calloc(list->count + 1, sizeof(*list->keys));
	if (list->keys == NULL) {
		list_close(list);
		return NULL;
	}
	for (size_t i = 0; i < list->count; i++)
		list->keys[i] = config->values[i];
	qsort(list->keys, list->count, sizeof(*list->keys), compare);
	return list;
}

static enum table_result
list_lookup(void *data, const char *key, struct table_value *value)
{
	const struct list *list = data;

	if (bsearch(&key, list->keys, list->count, sizeof(*list->keys),
		compare) == NULL)
		return TABLE_NONE;
	*value = (struct table_value){ "", list->config->name, 0 };
	return TABLE_FOUND;
}

const struct table_methods table_list_methods = {
	.open = list_open,
	.lookup = list_lookup,
	.close = list_close,
};
