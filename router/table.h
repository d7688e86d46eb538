/*
 * Look-up tables: a key to a value, whatever holds them. A kind is a struct
 * of functions (table_kind.h); aliases, users and rules do not know which.
 *
 * Keys are compared without regard to case. What a look-up lends lives until
 * the next tables_refresh(): one recipient sees one state of all tables.
 */
#ifndef ROUTER_TABLE_H
#define ROUTER_TABLE_H

#include "common/config.h"
#include "common/monotime.h"
#include "router/table_value.h"

struct table;
struct tables;

/* The tables of a configuration, which must live as long. A table that cannot
 * be read is there too and answers TABLE_ERROR. NULL with errno. */
struct tables *tables_new(const struct config *)
    __attribute__((warn_unused_result));
void tables_free(struct tables **);

/* Looks for changed files, at most once a second. */
void tables_refresh(struct tables *, struct monotime now);

/* NULL if there is none of that name. */
struct table *tables_find(const struct tables *, const char *name);

enum table_result table_lookup(struct table *, const char *key,
    struct table_value *) __attribute__((warn_unused_result));

#endif
