/*
 * Reading UTF-8 (RFC 3629) that may not be any.
 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the character at the start of `text`, and its code point; 0
 * if there is none: cut short, overlong, a surrogate or too great. */
size_t utf8_decode(const char *text, size_t length, uint32_t *code);

/* May it be sent to a terminal? Not the control characters (C0, DEL, C1),
 * nor the marks that change the direction or the lines of text. */
bool utf8_is_printable(uint32_t code);

/* Does it show as well? Not what Unicode has readers ignore if they do not know
 * it (Default_Ignorable_Code_Point: spaces of no width, tags, fillers), by
 * which two texts look the same; but the selectors of a letter's form. */
bool utf8_is_visible(uint32_t code);

/* Is all of the text UTF-8? */
bool utf8_is_valid(const char *text);

#endif
