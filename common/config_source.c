#include "common/config_source.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/* A longer line is shown in part, around its error. */
#define SHOWN_BEFORE 60
#define SHOWN 100

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
line_start(const struct config_source *s, size_t offset)
{
	while (offset > 0 && s->text[offset - 1] != '\n')
		offset--;
	return offset;
}

static size_t
line_end(const struct config_source *s, size_t offset)
{
	while (offset < s->length && s->text[offset] != '\n' &&
	       s->text[offset] != '\r')
		offset++;
	return offset;
}

static unsigned int
line_number(const struct config_source *s, size_t offset)
{
	unsigned int line = 1;

	for (size_t i = 0; i < offset; i++)
		if (s->text[i] == '\n')
			line++;
	return line;
}

/* In characters, not octets: what an editor shows. */
static unsigned int
column_number(const struct config_source *s, size_t offset)
{
	unsigned int column = 1;

	for (size_t i = line_start(s, offset); i < offset; i++)
		if (!is_continuation(s->text[i]))
			column++;
	return column;
}

static void
print_octet(FILE *out, char c)
{
	unsigned char u = (unsigned char)c;

	fputc((u < 0x20 && u != '\t') || u == 0x7f ? '?' : c, out);
}

/* The line, and under it the caret, behind the same tabs. */
static void
print_line(const struct config_source *s, size_t offset)
{
	size_t from = line_start(s, offset);
	size_t end = line_end(s, offset);

	if (end - from > SHOWN && offset - from > SHOWN_BEFORE)
		from = offset - SHOWN_BEFORE;
	if (end - from > SHOWN)
		end = from + SHOWN;
	while (from < offset && is_continuation(s->text[from]))
		from++;
	while (end < s->length && is_continuation(s->text[end]))
		end++;
	fputs("    ", s->errors);
	for (size_t i = from; i < end; i++)
		print_octet(s->errors, s->text[i]);
	fputs("\n    ", s->errors);
	for (size_t i = from; i < offset; i++)
		if (!is_continuation(s->text[i]))
			fputc(s->text[i] == '\t' ? '\t' : ' ', s->errors);
	fputs("^\n", s->errors);
}

/* Counts an error; should it be shown? */
static bool
error_is_shown(struct config_source *s)
{
	s->error_count++;
	if (s->errors == NULL)
		return false;
	if (s->error_count == CONFIG_ERRORS_SHOWN + 1)
		fprintf(s->errors, "%s: more errors are not shown\n", s->path);
	return s->error_count <= CONFIG_ERRORS_SHOWN;
}

__attribute__((format(printf, 3, 0))) static void
print_at(const struct config_source *s, size_t offset, const char *format,
    va_list arguments)
{
	fprintf(s->errors, "%s:%u:%u: ", s->path, line_number(s, offset),
	    column_number(s, offset));
	vfprintf(s->errors, format, arguments);
	fputc('\n', s->errors);
	print_line(s, offset);
}

void
source_error(struct config_source *s, size_t offset, const char *format, ...)
{
	va_list arguments;

	if (!error_is_shown(s))
		return;
	va_start(arguments, format);
	print_at(s, offset, format, arguments);
	va_end(arguments);
}

void
source_error_whole(struct config_source *s, const char *format, ...)
{
	va_list arguments;

	if (!error_is_shown(s))
		return;
	fprintf(s->errors, "%s: ", s->path);
	va_start(arguments, format);
	vfprintf(s->errors, format, arguments);
	va_end(arguments);
	fputc('\n', s->errors);
}

void
source_warn_whole(struct config_source *s, const char *message)
{
	if (s->errors != NULL)
		fprintf(s->errors, "%s: warning: %s\n", s->path, message);
}
