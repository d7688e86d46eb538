/*
 * The text of a table's file, in the format of aliases(5): "key: value", a
 * line that begins with white space continues the one before, lines that
 * begin with '#' and empty lines are skipped wherever they stand. A key may
 * be quoted; its case is ignored. A line of one word is a key without a value,
 * so that a list of domains is a table too.
 *
 * Pure: octets in, entries out. A line that is wrong is reported and skipped,
 * and so is a key that was there before.
 */
#ifndef ROUTER_TABLE_TEXT_H
#define ROUTER_TABLE_TEXT_H

#include <stddef.h>

struct table_entry {
	const char *key;   /* lower case */
	const char *value; /* continuation lines joined by a space */
	unsigned int line;
};

struct table_text {
	struct table_entry *entries; /* sorted by key */
	size_t count;
};

typedef void table_fault(unsigned int line, const char *why, void *context);

/* Parses in place: `text` has `length` octets and room for one more, is
 * changed, and must live as long as the entries. -1 with errno if there is no
 * memory. */
int table_text_parse(struct table_text *, char *text, size_t length,
    table_fault *fault, void *context) __attribute__((warn_unused_result));
void table_text_clear(struct table_text *);

/* NULL if there is none. `key` is in lower case. */
const struct table_entry *table_text_find(
    const struct table_text *, const char *key);

#endif
