/*
 * What a kind of table has to provide. Only table.c and the kinds include
 * this.
 */
#ifndef ROUTER_TABLE_KIND_H
#define ROUTER_TABLE_KIND_H

#include "common/config.h"
#include "router/table_value.h"

struct table_methods {
	/* NULL with errno if there is no memory. */
	void *(*open)(const struct table_config *);
	/* The key is in lower case. */
	enum table_result (*lookup)(
	    void *, const char *key, struct table_value *);
	/* NULL if this kind never changes. */
	void (*refresh)(void *);
	void (*close)(void *);
};

extern const struct table_methods table_list_methods;
extern const struct table_methods table_file_methods;

#endif
