#include "queue/dsn_field.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/utf8.h"

/* RFC 5322 2.1.1: lines should have no more than 78 characters, and must not
 * have more than 998: longer words are parted. */
#define WIDTH 76
#define WORD_MOST 900
#define SPACES_MOST 64 /* that are kept of those together */

static size_t
gap_length(const char *text)
{
	size_t i = 0;

	while (text[i] != '\0' &&
	       ((unsigned char)text[i] <= ' ' || text[i] == 0x7f))
		i++;
	return i;
}

/* A word that is too long is not parted within a character. */
static size_t
word_length(const char *text)
{
	size_t i = 0;

	while (i < WORD_MOST && (unsigned char)text[i] > ' ' && text[i] != 0x7f)
		i++;
	for (size_t back = 0; i == WORD_MOST && back < 3; back++)
		if (((unsigned char)text[i - back] & 0xc0) != 0x80)
			return i - back;
	return i;
}

static void
put_word(FILE *out, const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++)
		fputc((unsigned char)word[i] > '~' ? '?' : word[i], out);
}

static void
put_word_utf8(FILE *out, const char *word, size_t length)
{
	uint32_t code = 0;
	size_t n;

	for (size_t i = 0; i < length; i += n) {
		n = utf8_decode(word + i, length - i, &code);
		if (n > 0 && utf8_is_printable(code)) {
			fwrite(word + i, 1, n, out);
			continue;
		}
		fputc('?', out);
		n += n == 0;
	}
}

typedef void put_word_function(FILE *, const char *, size_t);

/* `column` octets stand on the line already. */
static void
put_words(FILE *out, size_t column, int indent, const char *text,
    put_word_function *put)
{
	bool first = true;
	size_t length;

	for (text += gap_length(text); *text != '\0';
	     text += length, text += gap_length(text)) {
		length = word_length(text);
		if (!first && column + 1 + length > WIDTH) {
			fprintf(out, "\r\n%*s", indent, "");
			column = (size_t)indent;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		put(out, text, length);
		column += length;
		first = false;
	}
	fputs("\r\n", out);
}

/* How many spaces stand for this gap: its own, or one for control characters. */
static size_t
spaces_of(const char *text, size_t gap)
{
	size_t spaces = 0;

	for (size_t i = 0; i < gap; i++)
		spaces += text[i] == ' ';
	if (spaces == 0 && gap > 0)
		return 1;
	return spaces < SPACES_MOST ? spaces : SPACES_MOST;
}

/* A line is parted before the spaces between two words, and so unfolding gives
 * back what was there. */
static void
put_exact(
    FILE *out, const char *name, const char *value, put_word_function *put)
{
	size_t column = strlen(name) + 2, gap, spaces, length;

	if (value[gap_length(value)] == '\0')
		return;
	fprintf(out, "%s: ", name);
	for (bool first = true; *value != '\0'; first = false) {
		gap = gap_length(value);
		spaces = spaces_of(value, gap);
		length = word_length(value + gap);
		if (!first && length > 0 && column + spaces + length > WIDTH) {
			fputs(gap > 0 ? "\r\n" : "\r\n ", out);
			column = 0;
		}
		fprintf(out, "%*s", (int)spaces, "");
		put(out, value + gap, length);
		column += spaces + length;
		value += gap + length;
	}
	fputs("\r\n", out);
}

void
dsn_field_put_exact(FILE *out, const char *name, const char *value)
{
	put_exact(out, name, value, put_word);
}

void
dsn_field_put_exact_utf8(FILE *out, const char *name, const char *value)
{
	put_exact(out, name, value, put_word_utf8);
}

void
dsn_field_put(FILE *out, const char *name, const char *value)
{
	if (value[gap_length(value)] == '\0')
		return;
	fprintf(out, "%s: ", name);
	put_words(out, strlen(name) + 2, 1, value, put_word);
}

void
dsn_field_format(FILE *out, const char *name, const char *format, ...)
{
	char *value = NULL;
	va_list list;
	int length;

	va_start(list, format);
	length = vasprintf(&value, format, list);
	va_end(list);
	/* The stream will say that there is no memory, too. */
	if (length == -1)
		return;
	dsn_field_put(out, name, value);
	free(value);
}

void
dsn_field_date(FILE *out, const char *name, uint64_t time)
{
	time_t seconds = (time_t)time;
	char text[64];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm) ==
		0)
		return;
	dsn_field_put(out, name, text);
}

static void
put_paragraph(FILE *out, int indent, const char *text, put_word_function *put)
{
	fprintf(out, "%*s", indent, "");
	put_words(out, (size_t)indent, indent, text, put);
}

void
dsn_field_paragraph(FILE *out, int indent, const char *text)
{
	put_paragraph(out, indent, text, put_word);
}

void
dsn_field_paragraph_utf8(FILE *out, int indent, const char *text)
{
	put_paragraph(out, indent, text, put_word_utf8);
}

void
dsn_field_line_utf8(FILE *out, int indent, const char *text)
{
	size_t length = strlen(text);

	fprintf(out, "%*s", indent, "");
	put_word_utf8(out, text, length < WORD_MOST ? length : WORD_MOST);
	fputs("\r\n", out);
}
