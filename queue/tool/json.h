/*
 * JSON Lines, an object a line, written and read without loss.
 *
 * Texts may hold any octet but NUL. What is UTF-8 is written as it is; an octet
 * that is not, as a lone surrogate U+DC80 to U+DCFF, as Python's
 * "surrogateescape" does.
 */
#ifndef QUEUE_TOOL_JSON_H
#define QUEUE_TOOL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool empty;
};

void json_begin(struct json *, FILE *);
void json_text(struct json *, const char *name, const char *text);
void json_number(struct json *, const char *name, uint64_t);
/* In base64. */
void json_octets(struct json *, const char *name, const void *, size_t);
void json_end(struct json *);

/* One member of an object: a text, or a number. */
struct json_member {
	const char *name;
	const char *text; /* NULL: a number */
	uint64_t number;
};

/* Takes a line apart, which is overwritten and lends the texts. Members that
 * are not texts or whole numbers, and more than `most`, are refused. Returns
 * how many there are, -1 with EBADMSG. */
int json_read(char *line, struct json_member *, int most)
    __attribute__((warn_unused_result));
/* In place. -1 and EBADMSG if it is not base64. */
int json_decode_octets(char *text, size_t *length)
    __attribute__((warn_unused_result));

#endif
