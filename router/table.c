#include "router/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "router/table_kind.h"

#define REFRESH_MS 1000

struct table {
	const struct table_config *config;
	const struct table_methods *methods;
	void *data;
};

struct tables {
	struct table *table;
	unsigned int count;
	struct monotime next_refresh;
};

static const struct table_methods *
methods_of(enum table_kind kind)
{
	switch (kind) {
	case TABLE_LIST:
		return &table_list_methods;
	case TABLE_FILE:
		break;
	}
	return &table_file_methods;
}

static int
open_table(struct table *t, const struct table_config *config)
{
	t->config = config;
	t->methods = methods_of(config->kind);
	t->data = t->methods->open(config);
	return t->data == NULL ? -1 : 0;
}

struct tables *
tables_new(const struct config *config)
{
	struct tables *tables = calloc(1, sizeof(*tables));

	if (tables == NULL)
		return NULL;
	tables->table = calloc(config->table_count + 1, sizeof(struct table));
	if (tables->table == NULL)
		goto fail;
	tables->next_refresh = monotime_add_ms(monotime_now(), REFRESH_MS);
	for (unsigned int i = 0; i < config->table_count; i++) {
		if (open_table(&tables->table[i], &config->tables[i]) == -1)
			goto fail;
		tables->count++;
	}
	return tables;
fail:
	tables_free(&tables);
	return NULL;
}

void
tables_free(struct tables **pointer)
{
	struct tables *tables = *pointer;

	*pointer = NULL;
	if (tables == NULL)
		return;
	for (unsigned int i = 0; i < tables->count; i++)
		tables->table[i].methods->close(tables->table[i].data);
	free(tables->table);
	free(tables);
}

void
tables_refresh(struct tables *tables, struct monotime now)
{
	if (monotime_is_before(now, tables->next_refresh))
		return;
	tables->next_refresh = monotime_add_ms(now, REFRESH_MS);
	for (unsigned int i = 0; i < tables->count; i++) {
		struct table *t = &tables->table[i];

		if (t->methods->refresh != NULL)
			t->methods->refresh(t->data);
	}
}

struct table *
tables_find(const struct tables *tables, const char *name)
{
	for (unsigned int i = 0; i < tables->count; i++)
		if (strcmp(tables->table[i].config->name, name) == 0)
			return &tables->table[i];
	return NULL;
}

enum table_result
table_lookup(struct table *t, const char *key, struct table_value *value)
{
	char lower[LIMIT_PATH + 1];
	size_t length = strlen(key);

	if (length > LIMIT_PATH)
		return TABLE_NONE;
	for (size_t i = 0; i <= length; i++)
		lower[i] = (char)tolower((unsigned char)key[i]);
	return t->methods->lookup(t->data, lower, value);
}
