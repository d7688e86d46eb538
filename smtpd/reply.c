#include "smtpd/reply.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Length of "5.7.1 " at the start of the text; 0 if there is none. */
static size_t
enhanced_length(const char *text)
{
	size_t at = 1, digits;

	if (text[0] != '2' && text[0] != '4' && text[0] != '5')
		return 0;
	for (int part = 0; part < 2; part++) {
		if (text[at++] != '.')
			return 0;
		digits = strspn(text + at, "0123456789");
		if (digits < 1 || digits > 3)
			return 0;
		at += digits;
	}
	return text[at] == ' ' ? at + 1 : 0;
}

static size_t
line_length(const char *text)
{
	const char *end = strstr(text, "\r\n");

	return end != NULL ? (size_t)(end - text) : strlen(text);
}

static size_t
copy_printable(char *to, const char *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to[i] = from[i] >= 0x20 && from[i] < 0x7f ? from[i] : '?';
	return length;
}

/* One line. `to` has room for REPLY_LINE octets. */
static size_t
format_line(char *to, unsigned int code, bool last, const char *prefix,
    size_t prefix_length, const char *text, size_t length)
{
	size_t most, at = 4;

	to[0] = (char)('0' + code / 100 % 10);
	to[1] = (char)('0' + code / 10 % 10);
	to[2] = (char)('0' + code % 10);
	to[3] = last ? ' ' : '-';
	if (enhanced_length(text) == 0)
		at += copy_printable(to + at, prefix, prefix_length);
	most = REPLY_LINE - 2 - at;
	at += copy_printable(to + at, text, length < most ? length : most);
	to[at++] = '\r';
	to[at++] = '\n';
	return at;
}

size_t
reply_format(char *to, size_t size, unsigned int code, const char *text)
{
	const char *first = text;
	size_t prefix = enhanced_length(text);
	size_t length = 0;
	bool last = false;

	while (!last) {
		size_t line = line_length(text);
		const char *next = text + line;

		/* What would not fit with one more line behind it is cut. */
		last = *next == '\0' || next[2] == '\0' ||
		       size - length < (size_t)2 * REPLY_LINE;
		length += format_line(
		    to + length, code, last, first, prefix, text, line);
		text = next + 2;
	}
	return length;
}
