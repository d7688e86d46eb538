#include "queue/dsn_original.h"

#include <string.h>
#include <strings.h>

#include "common/utf8.h"

#define LINE_MOST 998 /* RFC 5322 2.1.1 */

/* The length of the line at the beginning, with its CRLF; 0 if it has no
 * end. */
static size_t
line_length(const char *data, size_t length)
{
	const char *end = memchr(data, '\n', length);

	return end == NULL ? 0 : (size_t)(end - data) + 1;
}

static bool
is_empty_line(const char *line, size_t length)
{
	return length == 1 || (length == 2 && line[0] == '\r');
}

size_t
dsn_original_header(const char *data, size_t length)
{
	size_t at = 0, line;

	while ((line = line_length(data + at, length - at)) > 0 &&
	       !is_empty_line(data + at, line))
		at += line;
	return at;
}

/* From "<" to ">" in what a field says, over its folds. */
static void
take_id(const char *data, size_t length, char *id)
{
	const char *from = memchr(data, '<', length), *end;
	size_t size;

	if (from == NULL)
		return;
	end = memchr(from, '>', length - (size_t)(from - data));
	if (end == NULL)
		return;
	size = (size_t)(end - from) + 1;
	if (size < 3 || size >= DSN_MESSAGE_ID_SIZE)
		return;
	for (size_t i = 0; i < size; i++)
		if (from[i] <= ' ' || from[i] > '~' ||
		    (i > 0 && from[i] == '<'))
			return;
	memcpy(id, from, size);
	id[size] = '\0';
}

/* What the first field of this name says, with its folds, and how long that is;
 * NULL if there is none. */
static const char *
find_field(
    const char *data, size_t length, const char *name, size_t *field_length)
{
	size_t header = dsn_original_header(data, length), at = 0, line, field;
	size_t size = strlen(name);

	for (; at < header; at += field) {
		line = line_length(data + at, header - at);
		field = line;
		while (at + field < header &&
		       (data[at + field] == ' ' || data[at + field] == '\t'))
			field +=
			    line_length(data + at + field, header - at - field);
		if (line >= size && strncasecmp(data + at, name, size) == 0) {
			*field_length = field - size;
			return data + at + size;
		}
	}
	return NULL;
}

void
dsn_original_message_id(const char *data, size_t length, char *id)
{
	size_t size;
	const char *field = find_field(data, length, "Message-ID:", &size);

	id[0] = '\0';
	if (field != NULL)
		take_id(field, size, id);
}

bool
dsn_original_is_report(const char *data, size_t length, const char *hostname)
{
	char id[DSN_MESSAGE_ID_SIZE];
	const char *end;

	dsn_original_message_id(data, length, id);
	end = strstr(id, DSN_MESSAGE_ID_END);
	if (end == NULL)
		return false;
	end += strlen(DSN_MESSAGE_ID_END);
	return strncasecmp(end, hostname, strlen(hostname)) == 0 &&
	       strcmp(end + strlen(hostname), ">") == 0;
}

void
dsn_original_subject(const char *data, size_t length, char *subject)
{
	size_t size, used = 0;
	const char *field = find_field(data, length, "Subject:", &size);

	subject[0] = '\0';
	if (field == NULL || memmem(field, size, "=?", 2) != NULL)
		return;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)field[i];
		bool is_gap = c == ' ' || c == '\t' || c == '\r' || c == '\n';

		if (!is_gap && (c < ' ' || c > '~')) {
			subject[0] = '\0';
			return;
		}
		if (is_gap && (used == 0 || subject[used - 1] == ' '))
			continue;
		if (used < DSN_SUBJECT_SIZE - 1)
			subject[used++] = is_gap ? ' ' : (char)c;
	}
	if (used > 0 && subject[used - 1] == ' ')
		used--;
	subject[used] = '\0';
}

bool
dsn_original_is_utf8(const char *data, size_t length)
{
	size_t header = dsn_original_header(data, length), n;
	bool is_ascii = true;
	uint32_t code;

	for (size_t at = 0; at < header; at += n) {
		n = utf8_decode(data + at, header - at, &code);
		if (n == 0)
			return false;
		is_ascii &= n == 1;
	}
	return !is_ascii;
}

static bool
is_sound_line(const char *line, size_t length)
{
	if (length < 2 || length > LINE_MOST + 2 || line[length - 2] != '\r')
		return false;
	return memchr(line, '\r', length - 2) == NULL &&
	       memchr(line, '\0', length) == NULL;
}

bool
dsn_original_is_sound(const char *data, size_t length, bool *is_8bit)
{
	size_t at = 0, line;

	*is_8bit = false;
	for (; at < length; at += line) {
		line = line_length(data + at, length - at);
		if (line == 0 || !is_sound_line(data + at, line))
			return false;
		for (size_t i = 0; i < line; i++)
			*is_8bit |= ((unsigned char)data[at + i] & 0x80) != 0;
	}
	return true;
}
