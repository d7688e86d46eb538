/*
 * What a look-up in a table answers.
 */
#ifndef ROUTER_TABLE_VALUE_H
#define ROUTER_TABLE_VALUE_H

enum table_result {
	TABLE_FOUND,
	TABLE_NONE,
	TABLE_ERROR, /* not now: whatever depends on it is deferred */
};

struct table_value {
	const char *text;  /* "" if the key stands alone */
	const char *place; /* the file, or the table's name: for messages */
	unsigned int line; /* in the file; 0 if there is none */
};

#endif
