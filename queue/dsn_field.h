/*
 * Lines of a report, safe against what stands in replies and addresses: words
 * of printable US-ASCII, a space between them, folded. Control characters part
 * words, 8-bit octets become "?", and no line is longer than RFC 5322 lets it
 * be, whatever the text. Those named utf8 keep what is UTF-8 and can be
 * printed. Pure, but for the stream.
 */
#ifndef QUEUE_DSN_FIELD_H
#define QUEUE_DSN_FIELD_H

#include <stdint.h>
#include <stdio.h>

/* A header field; nothing at all if the value has no words. */
void dsn_field_put(FILE *, const char *name, const char *value);
/* One in which spaces count, as in an address: all are kept, but for more than
 * 64 together. */
void dsn_field_put_exact(FILE *, const char *name, const char *value);
void dsn_field_put_exact_utf8(FILE *, const char *name, const char *value);
void dsn_field_format(FILE *, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A field that is a date; `time` in seconds. */
void dsn_field_date(FILE *, const char *name, uint64_t time);
/* A paragraph for people, each line indented by so many spaces. */
void dsn_field_paragraph(FILE *, int indent, const char *text);
void dsn_field_paragraph_utf8(FILE *, int indent, const char *text);
/* One line, with all its spaces; no more than the first 900 octets. */
void dsn_field_line_utf8(FILE *, int indent, const char *text);

#endif
