/*
 * JSON Lines: one object a line, its members in the order they are written.
 *
 * Texts are octets that came from mail. What is not UTF-8 becomes U+FFFD, and
 * every control character is escaped, also those of ISO 6429's second set, the
 * ones that change the direction of text and what does not show, so that a line
 * is safe on a terminal too.
 */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool empty; /* no member yet */
};

void json_begin(struct json *, FILE *);
void json_text(struct json *, const char *name, const char *);
void json_number(struct json *, const char *name, uint64_t);
void json_boolean(struct json *, const char *name, bool);
/* Seconds since the epoch as "2026-01-31T23:59:59Z"; null for 0. */
void json_time(struct json *, const char *name, uint64_t);
/* Any octets, exactly, in base64. */
void json_base64(struct json *, const char *name, const uint8_t *, size_t);
void json_null(struct json *, const char *name);
void json_end(struct json *);

/* A member that is a list of objects. While it is written nothing else is. */
void json_list_begin(struct json *, const char *name, struct json *list);
void json_list_object(struct json *list, struct json *object);
void json_list_object_end(struct json *object);
void json_list_end(struct json *list);

/* One string with its quotes. */
void json_write_string(FILE *, const char *, size_t);

#endif
